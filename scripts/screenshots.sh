#!/usr/bin/env bash
# Makes the pictures of docs/pictures from a real failed deploy: scripts/screenshots.sh [RUNNER_GUARD_BINARY]
# Needs Chromium. The pictures are of the page as a browser shows it; nothing in them is drawn by hand.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

have chromium || die "chromium is missing: run scripts/setup.sh chromium"
if (($#)); then
  guard=$(realpath "$1")
else
  (cd "$root" && cargo build --quiet)
  guard=$(cd "$root" && cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/debug/runner-guard
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/_diag"
cp "$root/tests/fixtures/ansible/deploy-2.19.txt" "$work/ansible.log"
cat >"$work/_diag/Runner_20260131-030000-utc.log" <<'LOG'
[2026-01-31 03:00:01Z INFO JobDispatcher] Job request 42 for plan 7 job deploy received.
[2026-01-31 03:00:02Z INFO JobDispatcher] Process started with process id 4711, waiting for process exit.
[2026-01-31 03:04:40Z WARN JobDispatcher] Lock renewal took 21 s.
[2026-01-31 03:05:12Z INFO JobDispatcher] finish job request for job deploy with result: Failed
LOG
cat >"$work/guard.yml" <<'YAML'
version: 1
environment: production
runbooks: https://github.com/octo/guard/blob/v1/docs/runbooks
secrets: [DEPLOY_KEY, VAULT_TOKEN]
runners:
  - {name: prod-a, labels: [self-hosted, prod-a], authorized-for-prod: true}
  - {name: prod-b, labels: [self-hosted, prod-b], authorized-for-prod: true}
YAML
cd "$work"
# A gate that blocks is a picture too.
as_job() {
  env -i PATH="$PATH" GITHUB_REPOSITORY=octo/shop GITHUB_WORKFLOW=Release GITHUB_JOB=deploy RUNNER_NAME=prod-a GITHUB_RUN_ID=4242 "INPUT_JOB-STATUS=failure" \
    GITHUB_SERVER_URL=https://github.com GITHUB_API_URL=http://127.0.0.1:9 RUNNER_GUARD_SECRET_DEPLOY_KEY=picture-of-a-key "$guard" "$@" >/dev/null
}
as_job preflight --config guard.yml --timeout 10s || true
as_job diagnose --runner-logs _diag --config guard.yml --timeout 10s
page=file://$work/runner-guard-out/report.html
# A browser window is never as narrow as a phone, so the phone is a frame of 390 pixels in one.
printf '<!doctype html><body style="margin:0;background:#888"><iframe src="%s" style="border:0;width:390px;height:844px;display:block;margin:0 auto">' \
  "$page" >phone.html

picture() { # NAME WIDTH HEIGHT PAGE OPTION...
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --window-size="$2,$3" \
    --screenshot="$root/docs/pictures/$1.png" "${@:5}" "$4" >/dev/null 2>&1
  local bytes
  bytes=$(stat -c %s "$root/docs/pictures/$1.png")
  ((bytes < 200000)) || die "docs/pictures/$1.png has $bytes bytes, the limit is 200000"
  say "docs/pictures/$1.png ($bytes bytes)"
}
mkdir -p "$root/docs/pictures"
picture report-desktop 1280 1100 "$page"
picture report-phone 500 844 "file://$work/phone.html"
picture report-dark 1280 1100 "$page" --blink-settings=preferredColorScheme=0
