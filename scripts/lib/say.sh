# shellcheck shell=bash
# What scripts/test and scripts/bench say, and the count that scripts/test keeps: sourced, not run.

results=()
passed=0
failed=0
part_passed=0
part_failed=0

say() { printf '%s\n' "$*"; }

heading() {
  part_passed=0
  part_failed=0
  printf '\n==> %s\n' "$1"
}

die() {
  printf 'scripts/%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# count PASSED FAILED: adds to the part under way.
count() {
  part_passed=$((part_passed + $1))
  part_failed=$((part_failed + $2))
}

# check NAME COMMAND...: runs one check that passes or fails as a whole.
check() {
  local name=$1
  shift
  if "$@"; then
    count 1 0
  else
    say "FAILED: $name"
    count 0 1
  fi
}

# counted NAME PASSED FAILED STATUS: takes a runner's counts; one that broke before it counted a failure is a failure.
counted() {
  local name=$1 good=$2 bad=$3 status=$4
  if ((status != 0 && bad == 0)); then
    say "FAILED: $name ended with status $status"
    bad=1
  elif ((good + bad == 0)); then
    say "FAILED: $name ran no test"
    bad=1
  fi
  count "$good" "$bad"
}

report() {
  printf '\n%s: %d passed, %d failed\n' "$1" "$part_passed" "$part_failed"
  results+=("$(printf '  %-8s %5d passed %4d failed %5d s' "$1" "$part_passed" "$part_failed" "$2")")
  passed=$((passed + part_passed))
  failed=$((failed + part_failed))
}

summary() {
  printf '\n==> summary\n'
  printf '%s\n' "${results[@]}"
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}
