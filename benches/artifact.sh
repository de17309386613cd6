#!/usr/bin/env bash
# Compares the black box with the official client over the same logs: collect, redact, pack and upload against pack and upload.
#   benches/artifact.sh [BINARY]      the static release binary; without it, it is built
# Fails when the black box takes more than 0.6 of the time or 0.3 of the memory, when it leaves a log out, or when the official client
# can not download what it uploaded. Both run in turns, $ROUNDS times; the middle counts.
# COLLECT names the configuration of the files: files (collect.files) or ansible (collect.ansible.logs).
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../scripts/common.sh"

rounds=${ROUNDS:-3}
mib=${MIB:-200}
files=40
most_time=0.6
most_memory=0.3
collect=${COLLECT:-files}

"$root/scripts/setup.sh" node peers
have openssl || die "openssl is missing"
[[ -x /usr/bin/time ]] || die "/usr/bin/time is missing (Debian: time)"
binary=${1:-$("$root/scripts/build.sh")}
binary=$(realpath "$binary")

work=$(mktemp -d)
running=()
end() {
  ((${#running[@]} == 0)) || kill "${running[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

cp "$root"/benches/artifact/*.mjs "$root/tests/peers/artifact/download.mjs" "$work"
ln -s "$cache/peers/node_modules" "$work/node_modules"
cd "$work"

say "$mib MiB of logs in $files files"
node logs.mjs "$work/logs" "$mib" "$files"

# address FILE: the address in the output of a server that has just been started.
address() {
  wait_for 30 grep -q 'listens on http://' "$1" || { cat "$1" >&2; die "a server did not start within 30 s"; }
  sed -n 's#.*listens on ##p' "$1" | head -n 1
}

node node_modules/.bin/azurite-blob --blobHost 127.0.0.1 --blobPort 0 --location "$work/store" --skipApiVersionCheck \
  --disableTelemetry --silent=false >"$work/azurite.out" 2>&1 &
running+=($!)
azurite=$(address "$work/azurite.out")
node stub.mjs "$azurite" >"$work/stub.out" 2>&1 &
running+=($!)
stub=$(address "$work/stub.out")

# What the runner gives to an action; only the claims of the token are read.
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
claims='{"scp":"Actions.Results:ce7f54c7-61c7-4aae-887f-30da475f5f1a:ca395085-040a-526b-2ce8-bdc85f692774"}'
mkdir "$work/workspace" "$work/temp"
action=(env -i "PATH=$PATH" HOME="$work" GITHUB_ACTIONS=true GITHUB_REPOSITORY=octo/app GITHUB_RUN_ID=77 GITHUB_RUN_ATTEMPT=1
  GITHUB_JOB=deploy GITHUB_SERVER_URL=https://github.com "GITHUB_API_URL=$stub" "GITHUB_WORKSPACE=$work/workspace"
  "RUNNER_TEMP=$work/temp" RUNNER_NAME=prod-a "ACTIONS_RESULTS_URL=$stub/" NO_PROXY=127.0.0.1
  "ACTIONS_RUNTIME_TOKEN=$(printf '{}' | base64url).$(printf '%s' "$claims" | base64url).c2ln"
  RUNNER_GUARD_SECRET_DEPLOY_KEY=kX9-not-to-be-shown-7Qz)

# config NAME: the configuration of a run that uploads under this name.
config() {
  printf 'version: 1\nartifact: {name: %s}\ncollect:\n  timeout: 120s\n' "$1"
  case $collect in
    files) printf '  files: ["%s/logs/*.log"]\n' "$work" ;;
    ansible)
      printf '  ansible:\n    logs:\n'
      printf '      - %s\n' "$work"/logs/*.log
      ;;
    *) die "COLLECT is files or ansible, not $collect" ;;
  esac
}

# timed FILE COMMAND...: appends seconds, KiB, and seconds of the processor (own, of the kernel) to the file; what the command says goes to FILE.out.
timed() {
  local to=$1
  shift
  /usr/bin/time -a -o "$to" -f '%e %M %U %S' "${action[@]}" "$@" >"$to.out" 2>&1 || { tail -n 20 "$to.out" >&2; die "failed: $*"; }
  awk 'END { printf "%s s, %s KiB, processor %.2f s\n", $1, $2, $3 + $4 }' "$to"
}

for ((round = 1; round <= rounds; round++)); do
  config "ours-$round" >"$work/c.yml"
  rm -rf "$work/out"
  printf '%-18s %s\n' runner-guard "$(timed "$work/ours" "$binary" diagnose --config "$work/c.yml" --out "$work/out")" \
    @actions/artifact "$(timed "$work/theirs" node upload.mjs "theirs-$round" "$work/logs")"
done

"${action[@]}" node download.mjs "ours-$rounds" "$work/downloaded" >"$work/download.out" 2>&1 || {
  tail -n 20 "$work/ours.out" "$work/download.out" >&2
  die "@actions/artifact can not download what runner-guard uploaded"
}
tail -n 1 "$work/download.out"
bytes() { find "$1" -name 'log-*.log' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }
count=$(find "$work/downloaded" -name 'log-*.log' | wc -l)
sent=$(bytes "$work/logs") arrived=$(bytes "$work/downloaded")
printf '%s of %s logs arrived, %s of %s bytes\n' "$count" "$files" "$arrived" "$sent"

# middle FIELD FILE: field 3 is the whole time of the processor.
middle() { awk -v at="$1" '{ $3 += $4; print $at }' "$2" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
printf 'processor  %s s of %s s\n' "$(middle 3 "$work/ours")" "$(middle 3 "$work/theirs")"
awk -v ours="$(middle 1 "$work/ours") $(middle 2 "$work/ours")" -v theirs="$(middle 1 "$work/theirs") $(middle 2 "$work/theirs")" \
  -v time="$most_time" -v memory="$most_memory" 'BEGIN {
    split(ours, a); split(theirs, b)
    printf "time    %.2f s of %.2f s: %.2f (at most %.2f)\n", a[1], b[1], a[1] / b[1], time
    printf "memory  %.1f MiB of %.1f MiB: %.2f (at most %.2f)\n", a[2] / 1024, b[2] / 1024, a[2] / b[2], memory
    exit a[1] / b[1] > time || a[2] / b[2] > memory
  }' || die "more than allowed"
# Redaction may make a log a little shorter or longer; what is left out is more than that.
((count == files && arrived * 100 >= sent * 99)) || die "not every log arrived"
