# shellcheck shell=bash
# Finds the programs that the tests need, and installs with apt what is missing: sourced by scripts/test and scripts/bench.

lists_are_fresh=
nats_version=2.10.29

# as_root COMMAND...: with sudo, unless root already.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    die "cannot run \`$*\`: neither root nor sudo is there"
  fi
}

# apt_install PACKAGE...: quietly; what it says is shown only when it fails. No service is started by it.
apt_install() {
  command -v apt-get >/dev/null || die "install $* by hand: this machine has no apt-get"
  say "installing $*"
  local log=$run/apt.log policy=/usr/sbin/policy-rc.d
  if [[ -z $lists_are_fresh ]]; then
    retried as_root apt-get -q update >"$log" 2>&1 || die "apt-get update failed: $(tail -n 3 "$log")"
    lists_are_fresh=1
  fi
  local ours=
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    ours=1
  fi
  local status=0
  retried as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" >"$log" 2>&1 ||
    status=$?
  [[ -z $ours ]] || as_root rm -f "$policy"
  ((status == 0)) || die "apt-get could not install $*: $(tail -n 5 "$log")"
}

# retried COMMAND...: up to three times, with a rest between: what comes from elsewhere may fail now and then.
retried() {
  local try
  for try in 1 2 3; do
    "$@" && return
    ((try == 3)) || sleep $((10 * try))
  done
  return 1
}

need_rust() {
  command -v cargo >/dev/null || die "cargo is not on the PATH: install Rust first, with rustup"
  command -v cc >/dev/null || apt_install build-essential
}

# need_component NAME SUBCOMMAND: a component of the toolchain, such as rustfmt for `cargo fmt`.
need_component() {
  cargo "$2" --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || die "cargo has no $1, and there is no rustup to add it"
  retried rustup component add "$1" >/dev/null 2>&1 || die "rustup could not add $1"
}

# Prints the folder of the newest PostgreSQL server of version 15 or later.
postgres_folder() {
  local folder best='' version newest=14
  for folder in /usr/lib/postgresql/*/bin; do
    version=${folder#/usr/lib/postgresql/}
    version=${version%/bin}
    if [[ -x $folder/initdb && -x $folder/pg_ctl && $version -gt $newest ]]; then
      best=$folder
      newest=$version
    fi
  done
  printf '%s' "$best"
}

need_postgres() {
  pg_bin=$(postgres_folder)
  [[ -n $pg_bin ]] && return
  apt_install postgresql
  pg_bin=$(postgres_folder)
  [[ -n $pg_bin ]] || die "the package postgresql of this system is older than 15: install PostgreSQL 15 or later"
}

# need_programs NAME...: programs whose packages have their names.
need_programs() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || apt_install "$name"
  done
}

# Prints the path of a Go toolchain; none is installed.
go_path() { command -v go || command -v /usr/local/go/bin/go; }

# has_go FOLDER: sets `go` to a toolchain that can build the module there. What needs one is left out where there is none, or one that is too old;
# that its modules cannot be downloaded is no reason.
has_go() {
  if go=$(go_path) && (cd "$1" && GOTOOLCHAIN=local "$go" list -m >/dev/null 2>&1); then
    (cd "$1" && retried "$go" mod download) >"$run/go.log" 2>&1 || die "Go could not download what $1 needs: $(tail -n 1 "$run/go.log")"
    return
  fi
  say "not run: $1, which needs the Go toolchain that its go.mod names"
  return 1
}

# build_spring: sets `spring` to the program that Maven makes of tests/interop/spring, for who brings a JDK and Maven; none is installed.
build_spring() {
  local major wanted folder
  spring=
  major=$(javac -version 2>/dev/null | sed -n 's/^javac \([0-9]*\).*/\1/p') || true
  if ! command -v mvn >/dev/null || ((${major:-0} < 17)); then
    say 'not run: tests/interop/spring, which needs a JDK of version 17 or later, and Maven'
    return
  fi
  wanted=$(find tests/interop/spring -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
  folder=$(target_folder)/test-clients/spring-$wanted
  spring=$folder/site-1.jar
  [[ -e $spring ]] && return
  say 'building tests/interop/spring'
  retried mvn -q -B -ntp -f tests/interop/spring/pom.xml -Dfolder="$folder" package >"$run/maven.log" 2>&1 || {
    rm -f "$spring"
    die "Maven could not build tests/interop/spring: $(tail -n 5 "$run/maven.log")"
  }
}

# Debian's nats-server is older than 2.10. Where there is a Go toolchain a newer one is built for the tests of what that one cannot do;
# elsewhere they say that they were not run.
need_newer_nats() {
  [[ -z ${GRANTLOG_TEST_NATS_SERVER:-} ]] || return 0
  local go folder
  go=$(go_path) || return 0
  folder=$(target_folder)/test-clients/nats-$nats_version
  if [[ ! -x $folder/nats-server ]]; then
    say "building nats-server $nats_version"
    GOBIN=$folder GOFLAGS=-mod=mod retried "$go" install "github.com/nats-io/nats-server/v2@v$nats_version" >"$run/go.log" 2>&1 || {
      say "not built: $(tail -n 1 "$run/go.log")"
      return 0
    }
  fi
  export GRANTLOG_TEST_NATS_SERVER=$folder/nats-server
}

need_python() {
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt_install python3 python3-venv
  fi
}

need_node() {
  command -v node >/dev/null || apt_install nodejs npm
  command -v npm >/dev/null || apt_install npm
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= 18)) || die "Node.js is version $major; the tests' clients need 18 or later"
}

# Prints the path of a Chromium that can run headless.
chromium_path() {
  local name
  for name in ${GRANTLOG_TEST_CHROMIUM:+"$GRANTLOG_TEST_CHROMIUM"} chromium google-chrome-stable google-chrome chromium-browser; do
    if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
}

need_chromium() {
  GRANTLOG_TEST_CHROMIUM=$(chromium_path)
  if [[ -z $GRANTLOG_TEST_CHROMIUM ]]; then
    apt_install chromium fonts-noto-cjk
    GRANTLOG_TEST_CHROMIUM=$(chromium_path)
  fi
  [[ -n $GRANTLOG_TEST_CHROMIUM ]] || die "no Chromium that runs was found: name one in GRANTLOG_TEST_CHROMIUM"
  export GRANTLOG_TEST_CHROMIUM
}

# Prints the folder that cargo builds into; clients for the tests are kept beside the builds, so that a second run finds them.
target_folder() {
  cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# need_venv REQUIREMENTS: sets `venv` to a Python environment with exactly these packages.
need_venv() {
  need_rust
  need_python
  local wanted
  wanted=$({ python3 --version && cat "$1"; } | sha256sum | cut -c 1-16)
  venv=$(target_folder)/test-clients/venv-$wanted
  [[ -e $venv/complete ]] && return
  say "installing $1"
  rm -rf "$venv"
  python3 -m venv "$venv" || die "python3 could not make a virtual environment"
  retried "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input -r "$1" >"$run/pip.log" 2>&1 ||
    die "pip could not install $1: $(tail -n 5 "$run/pip.log")"
  touch "$venv/complete"
}

# need_modules FOLDER: its node_modules are as its package-lock.json says.
need_modules() {
  need_node
  local wanted stamp=$1/node_modules/.installed-for
  wanted=$(sha256sum <"$1/package-lock.json")
  [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && return
  say "installing $1/package.json"
  (cd "$1" && retried npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$run/npm.log" 2>&1 ||
    die "npm could not install $1/package.json: $(tail -n 5 "$run/npm.log")"
  printf '%s' "$wanted" >"$stamp"
}
