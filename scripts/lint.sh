#!/usr/bin/env bash
# Everything that judges the text of the project without running it.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" rust cargo-deny shellcheck actionlint
cd "$root"

say "cargo fmt"
cargo fmt --check

say "cargo clippy"
cargo clippy --all-targets --locked -- -D warnings

# Advisories are asked for in ci.yml alone: their database is fetched from a git host, which not every machine reaches.
say "cargo deny"
cargo deny --locked check --hide-inclusion-graph bans licenses sources

say "crates"
most_crates=250
crates=$(cargo tree --locked -e normal --target x86_64-unknown-linux-musl --prefix none --format '{p}' | sed 's/ (\*)$//' | sort -u | wc -l)
printf '%d crates in the Linux binary, at most %d\n' "$crates" "$most_crates"
((crates <= most_crates)) || die "too many crates: leave one out, or say in the commit why the limit moves"

say "shellcheck"
mapfile -t shells < <(find scripts demo tests -name '*.sh' -not -path '*/node_modules/*'; echo .ci/run)
shellcheck --external-sources "${shells[@]}"

# Two messages are wrong for a container action: its entry points are files of the image, not of the repository.
say "actionlint"
mapfile -t workflows < <(find .github/workflows examples -name '*.yml' -exec grep -l '^jobs:' {} +)
actionlint -ignore '^file "/runner-guard(-post)?" does not exist in ' "${workflows[@]}"
