#!/usr/bin/env bash
# Stops what scripts/setup.sh started, and nothing else: a Docker engine that ran before keeps running.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

pid_file=$cache/dockerd.pid
[[ -f $pid_file ]] || exit 0
pid=$(<"$pid_file")
rm -f "$pid_file"
# The number may have gone to another process since.
[[ $(ps -o args= -p "$pid" 2>/dev/null) == *dockerd* ]] || exit 0
kill "$pid" 2>/dev/null || sudo kill "$pid" || exit 0
gone() { ! kill -0 "$pid" 2>/dev/null; }
wait_for 20 gone || say "dockerd ($pid) is still stopping"
