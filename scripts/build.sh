#!/usr/bin/env bash
# Builds the static binary (profile $PROFILE, default release) and prints its path.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

profile=${PROFILE:-release}
"$root/scripts/setup.sh" rust musl
cd "$root"
cargo build --locked --profile "$profile" --target "$target" --bin runner-guard >&2
printf '%s\n' "$CARGO_TARGET_DIR/$target/$profile/runner-guard"
