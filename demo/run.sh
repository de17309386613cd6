#!/usr/bin/env bash
# Two runner hosts on this machine, a gate in front of them, and a deploy that fails: what a team sees, in about a minute.
# Nothing is played: Prometheus scrapes two exporters, and Ansible really fails. Only the listeners are stand-ins.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../scripts/common.sh"

work=$(mktemp -d)
out=$root/runner-guard-out/demo
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean_up EXIT

step() { printf '\n\033[1m── %s\033[0m\n' "$*"; }

# The environment is empty, so that a demo inside of a workflow is not taken for a step of it. The demo needs no network: in place of
# GitHub's API the gate looks for the way to Prometheus.
guard() { env -i PATH="$PATH" HOME="$work" GITHUB_API_URL="http://$prometheus" "$binary" "$@"; }

# expect CODES COMMAND...: shows the command, runs it, and stops the demo when it ends otherwise.
expect() {
  local codes=$1 status=0
  shift
  printf '$ runner-guard %s\n' "${*//$work\//}"
  guard "$@" || status=$?
  printf '→ exit code %d\n' "$status"
  [[ " $codes " == *" $status "* ]] || die "expected exit code $codes"
}

taken=
free_port() { # sets $port
  for ((port = 20000 + RANDOM % 20000; ; port++)); do
    [[ " $taken " != *" $port "* ]] || continue
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  taken+=" $port"
}

runner_host() { # NAME: a runner's folder with its settings, its log and a process of the listener's name
  local home=$work/$1
  mkdir -p "$home/bin" "$home/_diag" "$home/_work"
  printf '\xef\xbb\xbf{"agentId": 1, "agentName": "%s", "poolName": "Default", "gitHubUrl": "https://github.com/octo/app", "workFolder": "_work"}\n' \
    "$1" >"$home/.runner"
  printf '[%s INFO Terminal] WRITE LINE: %s: Listening for Jobs\n' "$(date -u '+%F %TZ')" "$(date -u '+%F %TZ')" \
    >"$home/_diag/Runner_$(date -u '+%Y%m%d-%H%M%S')-utc.log"
  cp "$(command -v sleep)" "$home/bin/Runner.Listener"
  (cd "$home" && exec ./bin/Runner.Listener 600) &
  pids+=("$!")
  listener[$1]=$!
  free_port
  exporter[$1]=127.0.0.1:$port
  # exec, so that the process to stop at the end is the exporter and not a shell around it.
  (exec env -i PATH="$PATH" HOME="$work" "$binary" exporter --listen "${exporter[$1]}" --runner-root "$home" \
    --environment production --authorized-for-prod true --hostname "host-of-$1") >"$work/$1.exporter.log" 2>&1 &
  pids+=("$!")
}

candidate() { # NAME ROLE
  printf '  - {name: %s, role: %s, labels: [self-hosted, production, %s], authorized-for-prod: true, exporter: "http://%s/metrics"}\n' \
    "$1" "$2" "$1" "${exporter[$1]}"
}

# What only GitHub knows is unknown here, so an unknown warns. In production it denies.
config() { # FILE CANDIDATES
  printf 'version: 1\nenvironment: production\ntimeout: 20s\nprometheus: {url: "http://%s"}\ngate: {on-unknown: warn, stable-for: 1s}\nrunners:\n%s\n' \
    "$prometheus" "$2" >"$1"
}

query() { promtool query instant "http://$prometheus" "$1" 2>/dev/null | grep -q .; }
expect_metric() { wait_for 20 query "$1" || die "Prometheus does not see within 20 s: $1"; }

"$root/scripts/setup.sh" rust musl prometheus ansible
binary=${RUNNER_GUARD_BIN:-$(PROFILE=image-test "$root/scripts/build.sh")}
began=$SECONDS
declare -A listener exporter
rm -rf "$out"
mkdir -p "$out"

step "1/6  Two runner hosts, prod-a and prod-b, each with an exporter, and a Prometheus that scrapes both"
runner_host prod-a
runner_host prod-b
free_port
prometheus=127.0.0.1:$port
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: runners
    static_configs: [{targets: ["${exporter[prod-a]}", "${exporter[prod-b]}"]}]
END
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="$prometheus" \
  >"$work/prometheus.log" 2>&1 &
pids+=("$!")
expect_metric 'count(runner_status == 1) == 2'
printf 'Prometheus: http://%s   exporters: %s %s\n' "$prometheus" "${exporter[prod-a]}" "${exporter[prod-b]}"

step "2/6  A deploy is due and everything is well: the gate lets it pass"
config "$work/both.yml" "$(candidate prod-a primary; candidate prod-b secondary)"
expect 0 preflight --config "$work/both.yml" --out "$out/pass"

step "3/6  The listener of prod-a dies, and there is no other candidate: the gate blocks, and says why"
kill "${listener[prod-a]}"
expect_metric "runner_status{instance=\"${exporter[prod-a]}\"} == 0"
config "$work/only-a.yml" "$(candidate prod-a primary)"
expect '10 12' preflight --config "$work/only-a.yml" --out "$out/block"

step "4/6  The same, but prod-b may take over: the gate passes and chooses it"
expect 0 preflight --config "$work/both.yml" --out "$out/fail-over"

step "5/6  The deploy runs and fails: the device is full"
printf '$ ansible-playbook site.yml\n'
status=0
(cd "$work" && ANSIBLE_LOG_PATH=$work/ansible.log LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1 \
  "$cache/ansible/bin/ansible-playbook" --inventory localhost, --connection local "$root/demo/site.yml") || status=$?
printf '→ exit code %d\n' "$status"
((status == 2)) || die "expected exit code 2"
grep -q 'No space left on device' "$work/ansible.log" || die "the deploy failed in another way than it should"

step "6/6  The black box: what was the cause, and what was collected"
expect 0 diagnose --config "$work/both.yml" --ansible-log "$work/ansible.log" --runner-logs "$work/prod-b/_diag" \
  --format text --out "$out/diagnose"
printf '\nThe job summary, as the run page would show it, begins:\n'
sed -n '1,/^<details>/ { /^<details>/d; s/^/  /; p }' "$out/diagnose/summary.md"
printf '\nThe bundle and the reports: %s\n' "$out/diagnose"
find "$out/diagnose" -type f -printf '  %P (%s bytes)\n' | sort
printf 'Done in %d s.\n' $((SECONDS - began))
