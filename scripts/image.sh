#!/usr/bin/env bash
# Makes the container image TAG from a static BINARY: scripts/image.sh BINARY TAG
# It builds the last stage of the Dockerfile, taken out of that file, over a folder that looks like what the first stage
# leaves behind. So nothing is pulled, and the image is the same as the one that `docker build .` makes.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

(($# == 2)) || die "usage: scripts/image.sh BINARY TAG"
"$root/scripts/setup.sh" docker
context=$(mktemp -d "$cache/image.XXXXXX")
trap 'rm -rf "$context"' EXIT

"$root/scripts/rootfs.sh" "$1" "$context/rootfs"
awk '/^FROM scratch$/ { found = 1 } found { sub(/--from=build /, ""); print }' "$root/Dockerfile" >"$context/Dockerfile"
grep -q '^COPY ' "$context/Dockerfile" || die "the Dockerfile has no last stage that begins with: FROM scratch"
docker build --quiet --tag "$2" "$context" >&2
