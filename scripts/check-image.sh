#!/usr/bin/env bash
# Prints the size of the image TAG and checks it, and what is inside: scripts/check-image.sh TAG
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

(($# == 1)) || die "usage: scripts/check-image.sh TAG"
tag=$1
most_bytes=10000000
most_gzip=4500000
failed=

complain() { printf 'image %s: %s\n' "$tag" "$*" >&2; failed=yes; }
at_most() { # WHAT BYTES LIMIT
  printf 'image %s: %s %d bytes of at most %d\n' "$tag" "$@"
  (($2 <= $3)) || complain "$1 is over the budget"
}

at_most size "$(docker image inspect -f '{{.Size}}' "$tag")" "$most_bytes"
at_most gzip "$(docker save "$tag" | gzip -6 | wc -c)" "$most_gzip"

setting() { docker image inspect -f "{{json .Config.$1}}" "$tag"; }
[[ $(setting Entrypoint) == '["/runner-guard"]' ]] || complain "entrypoint is $(setting Entrypoint)"
# The runner's command files belong to the runner's user with mode 0644: another user could not write outputs.
[[ $(setting User) == '""' ]] || complain "user is $(setting User), and must be left unset"

container=$(docker create "$tag")
listing=$(docker export "$container" | tar -tv --numeric-owner)
docker rm "$container" >/dev/null
for line in '^-rwxr-xr-x 0/0 .* runner-guard$' '^lrwxrwxrwx .* runner-guard-post -> runner-guard$' '^drwxrwxrwt .* tmp/$'; do
  grep -qE "$line" <<<"$listing" || complain "no entry like: $line"
done
# The engine itself adds the places where it mounts things.
foreign=$(awk '{ print $6 }' <<<"$listing" | grep -vE '^(runner-guard|runner-guard-post|tmp/|\.dockerenv|(dev|etc|proc|sys)/.*)$' || true)
[[ -z $foreign ]] || complain "unexpected: $foreign"
[[ -z $failed ]]
