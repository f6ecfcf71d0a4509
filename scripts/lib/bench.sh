# shellcheck shell=bash
# What scripts/bench measures, and how it tells it: sourced by it.

bare_pid=
bare_address=
redirect_uri=http://127.0.0.1:8765/callback

# build_release: sets `grantlog`, `load` and `bare` to copies of the release programs that a later build does not replace.
build_release() {
  need_rust
  cargo build --locked --release --quiet -p grantlog -p load || die "cargo could not build"
  local name
  for name in grantlog load bare follow ledger; do
    cp "$(target_folder)/release/$name" "$run/$name"
    printf -v "$name" '%s' "$run/$name"
  done
}

# start_bare: the handler that does nothing, which is the ceiling.
start_bare() {
  local port
  port=$(free_port)
  # shellcheck disable=SC2154 # build_release sets it
  "$bare" "127.0.0.1:$port" &
  bare_pid=$!
  bare_address=127.0.0.1:$port
  started+=("$bare_pid")
  wait_until 10 ready "$port" || die "the bare handler did not start"
}

# text_of NAME FILE: the value of a member of a JSON file.
text_of() { grep -o "\"$1\": *\"[^\"]*\"" "$2" | head -n 1 | cut -d '"' -f 4; }

# make_client NAME SCOPE FLAG...: registers a client through the command line; its JSON is in the server's folder.
make_client() {
  local name=$1 scope=$2
  shift 2
  (cd "$GRANTLOG_TEST_HOME" && "$grantlog" client register --client-name "$name" --scope "$scope" --json "$@") \
    >"$GRANTLOG_TEST_HOME/$name.json" || die "the client $name could not be registered"
}

# take_certificates: has the servers that start from now on take client certificates, at `mtls_address`. They show one themselves, which is the client's
# as well.
take_certificates() {
  local port
  port=$(free_port)
  make_certificate
  mtls_address=127.0.0.1:$port
  export GRANTLOG_SERVER__MTLS__LISTEN=$mtls_address GRANTLOG_SERVER__MTLS__PUBLIC_URL=https://$mtls_address
  export GRANTLOG_SERVER__MTLS__CERTIFICATE_FILE=$GRANTLOG_TEST_CERTIFICATE GRANTLOG_SERVER__MTLS__KEY_FILE=$GRANTLOG_TEST_CERTIFICATE_KEY
}

take_no_certificates() { unset "${!GRANTLOG_SERVER__MTLS__@}"; }

# certificate_jwk: prints the certificate's key, which is on P-256, as a JWK that names it.
certificate_jwk() {
  local point=$run/certificate.point
  openssl x509 -in "$GRANTLOG_TEST_CERTIFICATE" -noout -pubkey | openssl pkey -pubin -outform DER | tail -c 64 >"$point"
  printf '{"kty":"EC","crv":"P-256","x":"%s","y":"%s","x5c":["%s"]}' "$(head -c 32 "$point" | base64url)" "$(tail -c 32 "$point" | base64url)" \
    "$(openssl x509 -in "$GRANTLOG_TEST_CERTIFICATE" -outform DER | base64 -w 0)"
}

base64url() { basenc --base64url -w 0 | tr -d =; }

# make_key: sets `client_key` to a file with an Ed25519 key, and `client_jwk` to its public part.
make_key() {
  local x
  client_key=$run/client.pem
  openssl genpkey -algorithm ed25519 -out "$client_key"
  x=$(openssl pkey -in "$client_key" -pubout -outform DER | tail -c 32 | base64url)
  client_jwk="{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"$x\",\"kid\":\"bench\"}"
}

make_clients() {
  make_client opaque read --grant-types client_credentials --access-token-format opaque
  make_client eddsa read --grant-types client_credentials --access-token-signed-response-alg EdDSA
  make_client es256 read --grant-types client_credentials --access-token-signed-response-alg ES256
  make_key
  make_client proven read --grant-types client_credentials --token-endpoint-auth-method private_key_jwt --dpop-bound-access-tokens \
    --jwks "{\"keys\":[$client_jwk]}"
  if [[ -n ${GRANTLOG_SERVER__MTLS__LISTEN:-} ]]; then
    make_client mtls read --grant-types client_credentials --token-endpoint-auth-method self_signed_tls_client_auth \
      --tls-client-certificate-bound-access-tokens --jwks "{\"keys\":[$(certificate_jwk)]}"
  fi
  make_client exchange read --grant-types client_credentials,urn:ietf:params:oauth:grant-type:token-exchange
  make_client polling read --grant-types urn:ietf:params:oauth:grant-type:device_code
  make_client refresh read --grant-types authorization_code,refresh_token --redirect-uris "$redirect_uri" --skip-consent \
    --access-token-format opaque
}

# drive OPERATION CLIENT CONNECTIONS FLAG...: prints what the generator says.
drive() {
  local file=$GRANTLOG_TEST_HOME/$2.json demo=$GRANTLOG_TEST_HOME/data/dev.json database=() proof=(--key "$client_key" --jwk "$client_jwk")
  local address=${GRANTLOG_TEST_URL#http://}
  [[ $2 != mtls ]] || address=$mtls_address proof=(--key "$GRANTLOG_TEST_CERTIFICATE_KEY" --certificate "$GRANTLOG_TEST_CERTIFICATE")
  [[ ${DATABASE_URL:-} != postgres:* ]] || database=(--database "$(head -n 1 "$postgres_data/postmaster.pid")")
  # shellcheck disable=SC2154 # build_release sets it
  "$load" --operation "$1" --connections "$3" --seconds "$seconds" --address "$address" \
    --client-id "$(text_of client_id "$file")" --client-secret="$(text_of client_secret "$file")" --redirect-uri "$redirect_uri" \
    --username "$(text_of username "$demo")" --password="$(text_of password "$demo")" --server "$grantlog_pid" "${proof[@]}" "${database[@]}" "${@:4}"
}

# bare_rate CONNECTIONS: prints requests/s of the bare handler.
bare_rate() {
  local rate rest
  # shellcheck disable=SC2034 # what is not the rate
  read -r rate rest < <("$load" --operation tokens --connections "$1" --seconds "$seconds" --address "$bare_address" --server "$bare_pid")
  printf '%s' "$rate"
}

# insert_rate CONNECTIONS: prints how many transactions a second pgbench gets, each of which inserts one row like an event.
insert_rate() {
  local script=$run/insert.sql whole
  whole=$(printf '%.0f' "$seconds")
  printf '%s\n' "INSERT INTO inserted (payload) VALUES (json_build_object('token', repeat('x', 400)));" >"$script"
  "$pg_bin/pgbench" -n -f "$script" -c "$1" -j 2 -T "$((whole > 0 ? whole : 1))" "$GRANTLOG_TEST_POSTGRES" 2>/dev/null |
    sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

# share PART WHOLE
share() { awk -v part="$1" -v whole="$2" 'BEGIN { if (whole > 0) printf "%.3f", part / whole; else printf "-" }'; }

table_head() {
  printf '%-8s %-13s %5s %9s %8s %8s %8s %8s %5s %9s %7s %7s %9s\n' store operation at requests p50 p99 'CPU us' 'CPU us' RSS bare share wanted 'x inserts'
  printf '%-8s %-13s %5s %9s %8s %8s %8s %8s %5s %9s %7s %7s %9s\n' '' '' once '/s' us us server database MiB '/s' 'of bare' 'at 64' ''
}

# row STORE NAME CONNECTIONS INSERTS: measures the bare handler and then the operation, and prints a line.
row() {
  local store=$1 name=$2 at=$3 inserts=$4 operation=$2 client=$2 wanted bare_rate rate p50 p99 server database memory
  case $name in
    opaque | eddsa) operation=tokens wanted=0.17 ;;
    mtls) operation=tokens wanted=- ;;
    es256) operation=tokens wanted=0.12 ;;
    introspection) client=opaque wanted=0.40 ;;
    revocation) client=opaque wanted=0.18 ;;
    refresh) wanted=0.06 ;;
    proven | exchange | polling) wanted=- ;;
  esac
  ((at == 64)) || wanted=
  bare_rate=$(bare_rate "$at")
  local told
  told=$(drive "$operation" "$client" "$at") || die "$name on $store at $at connections failed"
  read -r rate p50 p99 server database memory <<<"$told"
  printf '%-8s %-13s %5s %9s %8s %8s %8s %8s %5s %9s %7s %7s %9s\n' "$store" "$name" "$at" "$rate" "$p50" "$p99" "$server" \
    "$database" "$memory" "$bare_rate" "$(share "$rate" "$bare_rate")" "$wanted" "$(share "$rate" "$inserts")"
}

# milliseconds MICROSECONDS
milliseconds() { awk -v micros="$1" 'BEGIN { printf "%.2f", micros / 1000 }'; }

# median OF THREE NUMBERS
median() { printf '%s\n' "$@" | sort -n | sed -n 2p; }

# ready_again: stops the server, starts it on the store as it is now, and prints how long it takes until it is ready, in milliseconds.
ready_again() {
  local port=${GRANTLOG_TEST_URL##*:} begun ended
  stop_process "$grantlog_pid"
  unset "started[-1]"
  begun=${EPOCHREALTIME/./}
  launch_grantlog
  until ready "$port" 2>/dev/null; do
    gone "$grantlog_pid" 2>/dev/null && die "grantlog did not start again: $(tail -n 5 "$GRANTLOG_TEST_HOME/log")"
    sleep 0.005
  done
  ended=${EPOCHREALTIME/./}
  ready_ms=$(((ended - begun) / 1000))
}
