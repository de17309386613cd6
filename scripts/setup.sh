#!/usr/bin/env bash
# Installs what is named, and only what is missing of it: scripts/setup.sh WHAT...
# Everything that is not a Debian package lands in one folder ($RUNNER_GUARD_CACHE, default ~/.cache/runner-guard);
# a second run with everything in place takes no network and about a second.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

everything=(rust musl keys docker job-image prometheus alertmanager loki ansible act node peers mermaid openapi cargo-deny actionlint cmark-gfm shellcheck chromium)

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

updated=
# Packages are installed with their services kept from starting: the tests start their own, on free ports.
debian() {
  local package missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  have apt-get || die "missing: ${missing[*]} (install them by your system's package tool, then run this again)"
  say "Debian packages: ${missing[*]}"
  [[ $updated ]] || as_root apt-get update -qq
  updated=yes
  local policy=/usr/sbin/policy-rc.d own=
  [[ -e $policy ]] || own=yes
  [[ -z $own ]] || printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 || {
    [[ -z $own ]] || as_root rm -f "$policy"
    die "apt-get could not install: ${missing[*]}"
  }
  [[ -z $own ]] || as_root rm -f "$policy"
}

# tool COMMAND [PACKAGE]: a command that may come from anywhere; the Debian package only when there is none.
tool() { have "$1" || debian "${2:-$1}"; }

setup_rust() {
  if ! have rustup; then
    tool curl
    say "rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain none \
      || die "rustup is missing and could not be fetched: install it (https://rustup.rs), then run this again"
  fi
  tool cc gcc
  tool git
  cd "$root"
  # The first call of a proxy installs the toolchain that rust-toolchain.toml names, with its components.
  rustc --version >/dev/null 2>&1 || rustup toolchain install
  rustup target list --installed | grep -qx "$target" || rustup target add "$target"
}

setup_musl() { tool musl-gcc musl-tools; }

# The tests make their keys and certificates when they run.
setup_keys() {
  tool openssl
  tool ssh-keygen openssh-client
}

setup_docker() {
  have dockerd || debian docker.io iptables
  docker version >/dev/null 2>&1 && return
  [[ -z ${DOCKER_HOST:-} ]] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST"
  say "starting dockerd"
  # The file of its process id is how scripts/teardown.sh knows that it is ours.
  as_root rm -f "$cache/dockerd.pid"
  as_root setsid dockerd --storage-driver=overlay2 --pidfile "$cache/dockerd.pid" >"$cache/dockerd.log" 2>&1 </dev/null &
  wait_for 60 docker version || { tail -n 20 "$cache/dockerd.log" >&2; die "dockerd did not answer within 60 s"; }
}

# A root file system with what a deploy job needs. Imported, not pulled: it needs no image registry.
setup_job_image() {
  setup_docker
  local id
  id=$(docker image inspect -f '{{.Id}}' "$job_image" 2>/dev/null) && {
    stamped job-image "$id" || stamp job-image "$id"
    return
  }
  debian debootstrap debian-archive-keyring
  say "job image $job_image (about 70 s)"
  local work
  work=$(mktemp -d "$cache/job-image.XXXXXX")
  # python3-cffi-backend by name: without it ansible-core cannot be configured by debootstrap.
  as_root debootstrap --variant=minbase --include=git,nodejs,ca-certificates,openssh-client,python3-cffi-backend,ansible-core \
    bookworm "$work/root" >"$cache/job-image.log" 2>&1 || { tail -n 20 "$cache/job-image.log" >&2; die "debootstrap failed"; }
  as_root rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
  id=$(as_root tar -C "$work/root" -c . | docker import - "$job_image")
  as_root rm -rf "$work"
  stamp job-image "$id"
}

setup_prometheus() {
  have prometheus && return
  debian prometheus
  # Only what this run installed: a Prometheus that was here before is somebody's own.
  if have systemctl && [[ -d /run/systemd/system ]]; then
    as_root systemctl disable --now prometheus.service prometheus-node-exporter.service >/dev/null 2>&1 || true
  fi
}

setup_alertmanager() {
  have prometheus-alertmanager && return
  debian prometheus-alertmanager
  if have systemctl && [[ -d /run/systemd/system ]]; then
    as_root systemctl disable --now prometheus-alertmanager.service >/dev/null 2>&1 || true
  fi
}

# The server of Grafana's Loki; Debian's package of that name is another program. A module that replaces parts of others can not be
# installed by its name alone, so a module of our own takes over what it replaces.
setup_loki() {
  stamped loki "$loki_version" && [[ -x $bin/loki ]] && return
  new_go loki "$loki_version"
  say "loki $loki_version (about 6 minutes)"
  local work module
  work=$(mktemp -d "$cache/loki.XXXXXX")
  (
    cd "$work"
    printf 'module runner-guard-loki\n\ngo 1.24\n' >go.mod
    module=$(GOFLAGS=-mod=mod go mod download -json "github.com/grafana/loki/v3@$loki_version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
    sed -n 's/^go /&/p; s/^toolchain /&/p' "$module" >versions
    {
      printf 'module runner-guard-loki\n\n'
      cat versions
      printf '\nrequire github.com/grafana/loki/v3 %s\n' "$loki_version"
      awk '/^replace \(/ { block = 1; next } block && /^\)/ { block = 0 }
           (block || /^replace /) && /=>/ && !/=> \.\// { sub(/^replace /, ""); print "replace " $0 }' "$module"
    } >go.mod
    GOFLAGS=-mod=mod CGO_ENABLED=0 go build -ldflags='-s -w' -o "$bin/loki" github.com/grafana/loki/v3/cmd/loki
  ) >"$cache/loki-build.log" 2>&1 || { tail -n 20 "$cache/loki-build.log" >&2; die "loki could not be built"; }
  rm -rf "$work"
  stamp loki "$loki_version"
}

setup_ansible() {
  local venv=$cache/ansible
  stamped ansible "$ansible_version" && "$venv/bin/ansible-playbook" --version >/dev/null 2>&1 && return
  python3 -c 'import venv, ensurepip' 2>/dev/null || debian python3 python3-venv
  say "ansible-core $ansible_version"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "ansible-core==$ansible_version"
  stamp ansible "$ansible_version"
}

# new_go NAME VERSION: a Go that can build it.
new_go() {
  have go || debian golang-go
  local go
  go=$(go env GOVERSION)
  [[ $(printf '%s\n' go1.24 "$go" | sort -V | head -n 1) == go1.24 ]] || [[ $(go env GOTOOLCHAIN 2>/dev/null) == auto* ]] \
    || die "$1 $2 is built with go 1.24 or newer, and this is $go: install a newer one"
}

go_tool() { # NAME MODULE VERSION
  "$bin/$1" --version 2>/dev/null | grep -qwF "${3#v}" && { stamp "$1" "$3"; return; }
  "$bin/$1" --version 2>/dev/null | grep -qF "$3" && { stamp "$1" "$3"; return; }
  new_go "$1" "$3"
  say "$1 $3"
  GOBIN=$bin go install "$2@$3"
  stamp "$1" "$3"
}

setup_act() { go_tool act github.com/nektos/act "$act_version"; }
setup_actionlint() { tool shellcheck && go_tool actionlint github.com/rhysd/actionlint/cmd/actionlint "$actionlint_version"; }

setup_node() {
  have node && have npm && return
  debian nodejs npm
}

# npm_peer NAME TO: the packages of tests/peers/NAME, in the folder TO of the cache.
npm_peer() {
  local from=$root/tests/peers/$1 to=$cache/$2 version
  [[ -f $from/package.json ]] || return 0
  version=$(cat "$from"/package*.json | sha256sum | cut -c 1-16)
  stamped "$2" "$version" && [[ -d $to/node_modules ]] && return
  setup_node
  say "npm packages of tests/peers/$1 (about 45 s)"
  rm -rf "$to"
  mkdir -p "$to"
  cp "$from"/package*.json "$to"
  local how=install
  [[ -f $to/package-lock.json ]] && how=ci
  (cd "$to" && npm "$how" --no-audit --no-fund --loglevel=error) >&2
  stamp "$2" "$version"
}

# The clients of other people that must be able to read what this project writes.
setup_peers() { npm_peer artifact peers; }

# The parser that draws the charts of a summary.
setup_mermaid() { npm_peer mermaid mermaid; }

setup_openapi() {
  local to=$cache/openapi
  stamped openapi "$openapi_version" && [[ -f $to/node_modules/@octokit/openapi/generated/api.github.com.json ]] && return
  setup_node
  say "@octokit/openapi $openapi_version"
  rm -rf "$to"
  mkdir -p "$to"
  (cd "$to" && npm install --no-audit --no-fund --loglevel=error --ignore-scripts "@octokit/openapi@$openapi_version") >&2
  stamp openapi "$openapi_version"
}

setup_cargo_deny() {
  "$bin/cargo-deny" --version 2>/dev/null | grep -qwF "$cargo_deny_version" && { stamp cargo-deny "$cargo_deny_version"; return; }
  setup_rust
  say "cargo-deny $cargo_deny_version (some minutes)"
  CARGO_TARGET_DIR=$cache/tools-target cargo install --quiet --locked --root "$cache" --version "$cargo_deny_version" cargo-deny
  rm -rf "$cache/tools-target"
  stamp cargo-deny "$cargo_deny_version"
}

# Not among everything: only scripts/fuzz.sh needs it, with a compiler of its own that knows sanitizers.
setup_cargo_fuzz() {
  setup_rust
  tool c++ g++
  rustup toolchain list | grep -q "^$fuzz_toolchain" || rustup toolchain install "$fuzz_toolchain" --profile minimal
  "$bin/cargo-fuzz" --version 2>/dev/null | grep -qwF "$cargo_fuzz_version" && { stamp cargo-fuzz "$cargo_fuzz_version"; return; }
  say "cargo-fuzz $cargo_fuzz_version (about a minute)"
  CARGO_TARGET_DIR=$cache/tools-target cargo install --quiet --locked --root "$cache" --version "$cargo_fuzz_version" cargo-fuzz
  rm -rf "$cache/tools-target"
  stamp cargo-fuzz "$cargo_fuzz_version"
}

setup_cmark_gfm() { tool cmark-gfm; }
setup_shellcheck() { tool shellcheck; }
setup_chromium() { tool chromium; }

(($#)) || die "usage: scripts/setup.sh WHAT... (all, or some of: ${everything[*]})"
extra=(cargo-fuzz)
what=("$@")
[[ $1 != all ]] || what=("${everything[@]}")
for name in "${what[@]}"; do
  [[ " ${everything[*]} ${extra[*]} " == *" $name "* ]] || die "unknown: $name (known: all ${everything[*]} ${extra[*]})"
  "setup_${name//-/_}"
done
