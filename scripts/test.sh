#!/usr/bin/env bash
# Runs every test, with every real thing that they talk to: scripts/test.sh [ARGUMENTS FOR cargo test]
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

trap '"$root/scripts/teardown.sh"' EXIT
"$root/scripts/setup.sh" rust musl docker job-image prometheus alertmanager loki ansible act node peers mermaid openapi cmark-gfm chromium

# The tests judge what is shipped: the static binary, in its image. Thin LTO saves some minutes against the release.
# A binary that is there already can be given, to run some tests again.
binary=${RUNNER_GUARD_BIN_MUSL:-$(PROFILE=image-test "$root/scripts/build.sh")}
image=runner-guard:test
"$root/scripts/image.sh" "$binary" "$image"

export RUNNER_GUARD_BIN_MUSL=$binary
export RUNNER_GUARD_IMAGE=$image
export RUNNER_GUARD_JOB_IMAGE=$job_image
export RUNNER_GUARD_ACT=$bin/act
export RUNNER_GUARD_ANSIBLE=$cache/ansible/bin
export RUNNER_GUARD_OPENAPI_DIR=$cache/openapi/node_modules/@octokit/openapi
export RUNNER_GUARD_PEERS_DIR=$cache/peers
export RUNNER_GUARD_MERMAID_DIR=$cache/mermaid
export RUNNER_GUARD_LOKI=$bin/loki
RUNNER_GUARD_PROMETHEUS=$(command -v prometheus)
RUNNER_GUARD_ALERTMANAGER=$(command -v prometheus-alertmanager)
export RUNNER_GUARD_PROMETHEUS RUNNER_GUARD_ALERTMANAGER

cd "$root"
log=$cache/test.log
status=0
cargo test --locked "$@" 2>&1 | tee "$log" || status=$?
awk '/^test result: / { passed += $4; failed += $6; skipped += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit passed == 0 }' "$log" || {
  say "no test was run"
  ((status)) || status=1
}
exit "$status"
