# shellcheck shell=bash
# Private servers on free loopback ports, in the temporary folder `run`: sourced by scripts/test and scripts/bench.

started=() # process ids, in the order of their start
postgres_data=
nats_pid=
postgres_settings=(-c fsync=off) # nothing here outlives the run, so nothing waits for the disk; scripts/bench measures with it

# Prints a port on which nothing listens. Each is given once: folders and databases have their names of it.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000)) # below the range that the kernel hands out
    grep -qsx "$port" "$run/ports" && continue
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port" >>"$run/ports"
  printf '%s' "$port"
}

# wait_until SECONDS COMMAND...: polls; false when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# as_postgres COMMAND...: PostgreSQL refuses to run as root.
as_postgres() {
  if ((EUID == 0)); then
    (cd "$run" && runuser -u postgres -- "$@")
  else
    (cd "$run" && "$@")
  fi
}

start_postgres() {
  [[ -z $postgres_data ]] || return 0
  need_postgres
  local folder=$run/postgres port
  mkdir "$folder"
  ((EUID != 0)) || chown postgres "$folder"
  as_postgres "$pg_bin/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C >"$run/initdb.log" 2>&1 ||
    die "initdb failed: $(tail -n 5 "$run/initdb.log")"
  port=$(free_port)
  local options="-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=300 ${postgres_settings[*]}"
  as_postgres "$pg_bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" -o "$options" start >"$run/pg_ctl.log" 2>&1 ||
    die "PostgreSQL did not start: $(as_postgres tail -n 5 "$folder/log")"
  postgres_data=$folder/data
  export GRANTLOG_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres
}

# new_database NAME: prints the URL of an empty database.
new_database() {
  local url=${GRANTLOG_TEST_POSTGRES%/postgres}
  "$pg_bin/psql" -q "$GRANTLOG_TEST_POSTGRES" -c "CREATE DATABASE $1" || die "no database could be made"
  printf '%s/%s' "$url" "$1"
}

# start_nats: a nats-server with JetStream. Exports NATS_URL, by which a grantlog that is started after it relays its log there.
start_nats() {
  local port
  port=$(free_port)
  nats-server -a 127.0.0.1 -p "$port" -js -sd "$run/nats-$port" >"$run/nats-$port.log" 2>&1 &
  nats_pid=$!
  started+=("$nats_pid")
  wait_until 60 port_answers "$port" || die "nats-server did not start: $(tail -n 5 "$run/nats-$port.log")"
  export NATS_URL=nats://127.0.0.1:$port
}

# stop_nats: what was started after it has been stopped.
stop_nats() {
  stop_process "$nats_pid"
  unset "started[-1]" NATS_URL
}

# stop_process PID: asks, waits, and in the end insists.
stop_process() {
  kill "$1" 2>/dev/null || return 0
  if ! wait_until 25 gone "$1"; then
    kill -KILL "$1" 2>/dev/null || true
  fi
  wait "$1" 2>/dev/null || true
}

gone() { ! kill -0 "$1"; }

# shellcheck disable=SC2317 # a trap calls it
stop_all() {
  local status=$? index
  trap - EXIT
  for ((index = ${#started[@]} - 1; index >= 0; index--)); do
    stop_process "${started[index]}"
  done
  [[ -z $postgres_data ]] || as_postgres "$pg_bin/pg_ctl" -D "$postgres_data" -w -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$run"
  exit "$status"
}

# make_certificate: of a host at 127.0.0.1, for what clients serve over TLS. Exports GRANTLOG_TEST_CERTIFICATE and GRANTLOG_TEST_CERTIFICATE_KEY.
make_certificate() {
  export GRANTLOG_TEST_CERTIFICATE=$run/certificate.pem GRANTLOG_TEST_CERTIFICATE_KEY=$run/certificate.key
  [[ ! -e $GRANTLOG_TEST_CERTIFICATE ]] || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=grantlog-test -addext subjectAltName=IP:127.0.0.1 \
    -addext basicConstraints=critical,CA:FALSE -keyout "$GRANTLOG_TEST_CERTIFICATE_KEY" -out "$GRANTLOG_TEST_CERTIFICATE" 2>"$run/openssl.log" ||
    die "openssl made no certificate: $(tail -n 3 "$run/openssl.log")"
}
