# shellcheck shell=bash
# The parts of scripts/test, in the order they run: sourced by it.

part_format() {
  need_rust
  need_component rustfmt fmt
  check 'cargo fmt' cargo fmt --all --check
}

part_lint() {
  need_rust
  need_component clippy clippy
  check 'cargo clippy' cargo clippy --locked --workspace --all-targets -- -D warnings
  if command -v shellcheck >/dev/null; then
    check shellcheck shellcheck -a -x .ci/run scripts/test
  fi
}

part_rust() {
  need_rust
  start_postgres
  start_nats
  local log=$run/cargo-test.log status=0 counts
  cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?
  counts=$(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
  # shellcheck disable=SC2086 # two numbers
  counted 'cargo test' $counts "$status"
}
