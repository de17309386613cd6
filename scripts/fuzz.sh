#!/usr/bin/env bash
# Looks for inputs that break a promise: scripts/fuzz.sh [--keep] [SECONDS] [TARGET...]
# Every target (or those named) for that many seconds (60), one after another; stops at the first finding with the command to repeat it.
# With --keep what reached new code is added to fuzz/corpus, the fewest inputs that do; without it nothing there changes.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

keep=
[[ ${1:-} != --keep ]] || { keep=yes; shift; }
seconds=60
[[ ! ${1:-} =~ ^[0-9]+$ ]] || { seconds=$1; shift; }
mapfile -t known < <(cd "$root/fuzz/targets" && printf '%s\n' *.rs | sed 's/\.rs$//')
targets=("$@")
((${#targets[@]})) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] || die "unknown: $target (known: ${known[*]})"
done

"$root/scripts/setup.sh" cargo-fuzz
# Instrumented code must not mix with the tests'; the host is named since sanitizers know no musl.
work=$cache/fuzz
export CARGO_TARGET_DIR=$work/target
host=$(uname -m)-unknown-linux-gnu
bins=$CARGO_TARGET_DIR/$host/release
longest=16384
cd "$root"

say "the fuzz targets (some minutes the first time)"
cargo "+$fuzz_toolchain" fuzz build --fuzz-dir fuzz --target "$host"

for target in "${targets[@]}"; do
  found=$work/corpus/$target
  mkdir -p "$found" "$work/findings" "fuzz/corpus/$target"
  say "$target for $seconds s"
  log=$work/$target.log
  # The first folder takes what is new; the kept inputs are read and stay as they are.
  "$bins/$target" "$found" "fuzz/corpus/$target" -dict="fuzz/dicts/$target.dict" -artifact_prefix="$work/findings/$target-" \
    -max_total_time="$seconds" -max_len=$longest -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1 || {
    grep -a -A 12 -m 1 -E 'panicked at|^==[0-9]+== ?ERROR' "$log" | cut -c 1-2000 >&2 || tail -n 20 "$log" >&2
    finding=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    say "$target: a finding"
    printf 'repeat it: cd %q && %q %q\n' "$root" "$bins/$target" "$finding" >&2
    exit 1
  }
  grep -a -E '^#[0-9]+[[:space:]]+DONE' "$log" || tail -n 1 "$log"
  if [[ $keep ]]; then
    # What is kept stays. Added is what reaches new code in at most 1 KiB: the kept inputs are copied with every clone.
    small=$(mktemp -d "$work/small.XXXXXX")
    find "$found" -type f -size -3 -exec cp -t "$small" {} +
    "$bins/$target" -set_cover_merge=1 -use_counters=0 "fuzz/corpus/$target" "$small" 2>&1 | grep -a 'new files' >&2
    rm -rf "$small"
  fi
done
