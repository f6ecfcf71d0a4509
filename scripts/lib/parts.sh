# shellcheck shell=bash
# The parts of scripts/test, in the order they run: sourced by it.

part_format() {
  need_rust
  need_component rustfmt fmt
  check 'cargo fmt' cargo fmt --all --check
  check 'cargo fmt in tests/interop/rust' cargo fmt --manifest-path tests/interop/rust/Cargo.toml --check
  if has_go tests/interop/go; then
    check 'gofmt in tests/interop/go' is_gofmt tests/interop/go
  fi
}

# is_gofmt FOLDER: gofmt names what it would write otherwise, and is content all the same.
is_gofmt() {
  local others
  others=$("${go%/*}/gofmt" -l "$1")
  [[ -z $others ]] && return
  say "$others"
  return 1
}

part_lint() {
  need_rust
  need_component clippy clippy
  check 'cargo clippy' cargo clippy --locked --workspace --all-targets -- -D warnings
  # Beside others in a workspace a crate has their features too.
  check 'examples/resource_server and clients/rust by themselves' cargo check --locked -p resource_server
  if command -v shellcheck >/dev/null; then
    check shellcheck shellcheck -a -x .ci/run scripts/test scripts/bench
  fi
}

part_rust() {
  need_rust
  start_postgres
  need_programs nats-server openssl
  need_newer_nats
  run_cargo 'cargo test' --workspace
}

part_interop() {
  local store clients
  build_or_count || return 0
  need_programs curl openssl # the READMEs' commands
  need_programs nats-server
  need_venv tests/interop/requirements.txt
  need_modules tests/interop/npm
  need_chromium # single-page applications
  need_modules tests/browser
  clients=$(target_folder)/test-clients/rust
  build_spring
  for store in postgres sqlite; do
    say "grantlog on $store"
    # One of the two demands nonces of its own in proofs of possession: clients get on with either.
    GRANTLOG_TOKENS__DPOP_NONCE_REQUIRED=true
    [[ $store == sqlite ]] || GRANTLOG_TOKENS__DPOP_NONCE_REQUIRED=false
    export GRANTLOG_TOKENS__DPOP_NONCE_REQUIRED
    start_nats # one a log
    if start_or_count "$store"; then
      start_mcp "$store" || count 0 1
      # A JVM takes long to start: once is enough.
      [[ $store == sqlite ]] || export GRANTLOG_TEST_SPRING=$spring
      run_pytest tests/interop
      unset GRANTLOG_TEST_SPRING
      run_node tests/interop/npm
      stop_mcp
      # In a folder of its own: it is made of other features than the server.
      CARGO_TARGET_DIR=$clients run_cargo 'cargo test in tests/interop/rust' --manifest-path tests/interop/rust/Cargo.toml
      if has_go tests/interop/go; then
        run_go tests/interop/go
      fi
      stop_grantlog
    fi
    stop_nats
  done
  unset GRANTLOG_TOKENS__DPOP_NONCE_REQUIRED
}

part_browser() {
  build_or_count || return 0
  need_chromium
  need_modules tests/interop/npm # its grantlog.js is used here too
  need_modules tests/browser
  need_venv tests/interop/requirements.txt # examples/django
  export GRANTLOG_TEST_PYTHON=$venv/bin/python
  local grantlog_host=localhost # browsers make passkeys for names, and for no address
  start_or_count postgres || return 0
  run_node tests/browser
  stop_grantlog
}

build_or_count() {
  build_grantlog && return
  say 'FAILED: cargo build'
  count 0 1
  return 1
}

start_or_count() {
  start_grantlog "$1" && return
  count 0 1
  return 1
}

# run_cargo NAME ARGUMENT...
run_cargo() {
  local name=$1 log=$run/cargo-test.log status=0 counts
  shift
  cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?
  counts=$(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
  # shellcheck disable=SC2086 # two numbers
  counted "$name" $counts "$status"
}

# run_pytest FOLDER
run_pytest() {
  local log=$run/pytest.log status=0 counts
  PYTHONDONTWRITEBYTECODE=1 "$venv/bin/pytest" -c "$1/pytest.ini" --rootdir "$1" --color=no "$1" 2>&1 | tee "$log" || status=$?
  counts=$(awk '/ in [0-9.]+s/ { line = $0 } END {
    count = split(line, words, /[ ,]+/)
    for (i = 2; i <= count; i++) {
      if (words[i] == "passed") passed = words[i - 1]
      if (words[i] == "failed" || words[i] ~ /^errors?$/) failed += words[i - 1]
    }
    print passed + 0, failed + 0
  }' "$log")
  # shellcheck disable=SC2086 # two numbers
  counted "pytest in $1" $counts "$status"
}

# run_go FOLDER
run_go() {
  local log=$run/go-test.log status=0 counts
  (cd "$1" && "$go" test -count=1 -v ./...) 2>&1 | tee "$log" || status=$?
  counts=$(awk '/^--- PASS:/ { passed++ } /^--- FAIL:/ { failed++ } END { print passed + 0, failed + 0 }' "$log")
  # shellcheck disable=SC2086 # two numbers
  counted "go test in $1" $counts "$status"
}

# run_node FOLDER: Node.js's own test runner.
run_node() {
  local log=$run/node.log status=0 counts
  (cd "$1" && node --test --test-reporter=spec) 2>&1 | tee "$log" || status=$?
  counts=$(awk '$2 == "pass" { passed = $3 } $2 == "fail" { failed = $3 } $2 == "cancelled" { failed += $3 } END { print passed + 0, failed + 0 }' "$log")
  # shellcheck disable=SC2086 # two numbers
  counted "node --test in $1" $counts "$status"
}
