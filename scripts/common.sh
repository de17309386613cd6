# shellcheck shell=bash disable=SC2034 # the names are used by the scripts that source this
# Where things live and which versions are used. Sourced by the other scripts; does nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${RUNNER_GUARD_CACHE:-${HOME:-/root}/.cache/runner-guard}
bin=$cache/bin
stamps=$cache/stamps
target=$(uname -m)-unknown-linux-musl

act_version=v0.2.87
actionlint_version=v1.7.12
ansible_version='2.19.*'
cargo_deny_version=0.20.2
loki_version=v3.7.8
cargo_fuzz_version=0.13.2
fuzz_toolchain=nightly
job_image=runner-guard-job:1
openapi_version=23.0.2

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export PATH=$bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH:/usr/sbin:/sbin
mkdir -p "$bin" "$stamps"

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# stamped NAME VERSION: is NAME there, in this version?
stamped() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
stamp() { printf '%s\n' "$2" >"$stamps/$1"; }

# wait_for SECONDS COMMAND...: until the command succeeds, or that time is over.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}
