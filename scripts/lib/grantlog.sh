# shellcheck shell=bash
# A grantlog of its own for the tests from outside: sourced by scripts/test and scripts/bench.

grantlog_pid=

# build_grantlog: sets `grantlog` to a copy of the server that a later build does not replace.
build_grantlog() {
  [[ -z ${grantlog:-} ]] || return 0
  need_rust
  cargo build --locked --quiet --bin grantlog || return 1
  grantlog=$run/grantlog
  cp "$(target_folder)/debug/grantlog" "$grantlog"
}

# ready PORT: true when /readyz answers with a 200; curl need not be on the machine.
ready() (
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" >&3
  read -r line <&3
  [[ $line == *" 200 "* ]]
)

# start_grantlog STORE [URL]: `postgres` or `sqlite`; over the store at URL, or over a new one. Exports what a test needs to find the server and to use the command
# line beside it, at the host `grantlog_host` or at an address: GRANTLOG_TEST_URL, GRANTLOG_TEST_CLI and GRANTLOG_TEST_HOME (the folder to run it in); DATABASE_URL for PostgreSQL and URL.
start_grantlog() {
  local store=$1 port
  port=$(free_port)
  GRANTLOG_TEST_HOME=$run/home-$store-$port
  mkdir "$GRANTLOG_TEST_HOME"
  unset DATABASE_URL
  if [[ -n ${2:-} ]]; then
    export DATABASE_URL=$2
  elif [[ $store == postgres ]]; then
    start_postgres
    DATABASE_URL=$(new_database "interop_$port")
    export DATABASE_URL
  fi
  export GRANTLOG_TEST_HOME GRANTLOG_TEST_CLI=$grantlog GRANTLOG_TEST_URL=http://${grantlog_host:-127.0.0.1}:$port
  export GRANTLOG_SERVER__LISTEN=127.0.0.1:$port GRANTLOG_SERVER__PUBLIC_URL=$GRANTLOG_TEST_URL
  launch_grantlog
  wait_until 120 ready_or_gone "$grantlog_pid" "$port" && ready "$port" && return
  tail -n 20 "$GRANTLOG_TEST_HOME/log"
  say "FAILED: grantlog on $store ended, or was not ready within two minutes"
  return 1
}

# launch_grantlog: in the folder and with the settings that start_grantlog has exported.
launch_grantlog() {
  (cd "$GRANTLOG_TEST_HOME" && exec "$grantlog" serve --dev) >"$GRANTLOG_TEST_HOME/log" 2>&1 &
  grantlog_pid=$!
  started+=("$grantlog_pid")
}

ready_or_gone() { gone "$1" || ready "$2"; }

stop_grantlog() {
  stop_process "$grantlog_pid"
  unset "started[-1]" DATABASE_URL GRANTLOG_SERVER__LISTEN GRANTLOG_SERVER__PUBLIC_URL
}
