# shellcheck shell=bash
# The rows of scripts/bench that measure what follows the log, once each: sourced by it, beside bench.sh.

# follower_relay STORE, follower_heard STORE: each prints a line.
follower_relay() {
  need_programs nats-server
  # shellcheck disable=SC2154 # build_release sets it
  "$follow" --store "$1" relay || die "the relay on $1 could not be measured"
}

follower_heard() {
  need_programs nats-server
  "$follow" --store "$1" heard || die "what is heard on $1 could not be measured"
}

# take_turns ONE OTHER STORE: issuance as `issue_ONE` has it and as `issue_OTHER` does, in turns (other, one, one, other), three times over: sets
# `one` and `other` to the tokens a second of the last turns, and `turns_share` to the median of the shares.
take_turns() {
  local ways=("$1" "$2") shares=() sums turn
  while ((${#shares[@]} < 3)); do
    sums=(0 0)
    for turn in 1 0 0 1; do
      "issue_${ways[turn]}" "$3"
      ((sums[turn] += issued))
    done
    shares+=("$(share "${sums[0]}" "${sums[1]}")")
  done
  one=$((sums[0] / 2)) other=$((sums[1] / 2))
  turns_share=$(median "${shares[@]}")
}

# follower_everything STORE: issuance with all that follows the log, beside issuance with nothing that does.
follower_everything() {
  local one other turns_share
  need_programs nats-server
  take_turns with_all with_none "$1"
  printf '%-8s everything: issuance at 64 with relay, tree and verifier %s/s, without %s/s in the last of 3 rounds; median share %s (wanted 0.8)\n' \
    "$1" "$one" "$other" "$turns_share"
}

# issue_with_all STORE, issue_with_none STORE: each sets `issued` to the tokens a second of a server on a new store.
issue_with_all() {
  start_nats
  issue "$1"
  stop_nats
}

issue_with_none() {
  export GRANTLOG_TRANSPARENCY__ENABLED=false GRANTLOG_STORE__VERIFIED_STREAMS=0
  issue "$1"
  unset GRANTLOG_TRANSPARENCY__ENABLED GRANTLOG_STORE__VERIFIED_STREAMS
}

issue() {
  start_grantlog "$1" || exit 1
  make_clients
  issue_alone "$1"
  stop_grantlog
}

declare -A ledger_urls

# fill_ledger STORE: makes a long log in a store of its own, once: sets `ledger_url`. Whatever seals something there does so under `ledger_key`.
fill_ledger() {
  ledger_key=$run/ledger.key
  [[ -e $ledger_key ]] || head -c 32 /dev/urandom | base64 >"$ledger_key"
  if [[ -z ${ledger_urls[$1]:-} ]]; then
    case $1 in
      postgres) ledger_urls[$1]=$(new_database ledger) || exit 1 ;;
      sqlite) ledger_urls[$1]=sqlite://$run/ledger.db ;;
    esac
    # shellcheck disable=SC2154 # build_release sets it, and scripts/bench the grants
    "$ledger" --store "${ledger_urls[$1]}" fill "$grants" >/dev/null || die "the log on $1 could not be filled"
  fi
  ledger_url=${ledger_urls[$1]}
}

# fold_ledger STORE: folds the long log in memory: sets `ledger_told` and `fold_rate`.
fold_ledger() {
  fill_ledger "$1"
  ledger_told=$("$ledger" --store "$ledger_url" fold) || die "the log on $1 could not be folded"
  fold_rate=$(rate_told "$ledger_told")
}

# rate_told LINE: the events/s of what the ledger prints.
rate_told() { sed -n 's|.* \([0-9]*\) events/s.*|\1|p' <<<"$1"; }

# follower_replay STORE, follower_rebuild STORE: each prints a line.
follower_replay() {
  local told
  fold_ledger "$1"
  told=$("$ledger" --store "$ledger_url" replay) || die "the log on $1 could not be replayed"
  printf '%-8s replay: %s; a fold in memory %s; share %s (wanted 0.5)\n' "$1" "$told" "$ledger_told" "$(share "$(rate_told "$told")" "$fold_rate")"
}

follower_rebuild() {
  local begun ended rate
  fold_ledger "$1"
  begun=${EPOCHREALTIME/./}
  (cd "$run" && DATABASE_URL=$ledger_url "$grantlog" projections rebuild --duty 100) >/dev/null || die "the read models on $1 could not be rebuilt"
  ended=${EPOCHREALTIME/./}
  rate=$(awk -v events="${ledger_told%% *}" -v micros="$((ended - begun))" 'BEGIN { printf "%.0f", events * 1e6 / micros }')
  printf '%-8s rebuild of all read models: %s events/s, compared and switched; a fold in memory %s/s; share %s (wanted 0.25)\n' "$1" "$rate" \
    "$fold_rate" "$(share "$rate" "$fold_rate")"
}

# follower_throttle STORE: issuance beside a rebuild of the long log at its usual duty, and alone. The rebuild begins anew whenever it has ended.
follower_throttle() {
  local one other turns_share
  fill_ledger "$1"
  export GRANTLOG_VAULT__MASTER_KEY_FILE=$ledger_key GRANTLOG_TRANSPARENCY__ENABLED=false GRANTLOG_STORE__VERIFIED_STREAMS=0
  start_grantlog "$1" "$ledger_url" || exit 1
  make_clients
  take_turns beside alone "$1"
  stop_grantlog
  unset GRANTLOG_VAULT__MASTER_KEY_FILE GRANTLOG_TRANSPARENCY__ENABLED GRANTLOG_STORE__VERIFIED_STREAMS
  printf '%-8s throttle: issuance at 64 beside a rebuild %s/s, alone %s/s in the last of 3 rounds; median share %s (wanted 0.8)\n' \
    "$1" "$one" "$other" "$turns_share"
}

# issue_alone STORE, issue_beside STORE: each sets `issued` to the tokens a second of the server that runs.
issue_alone() {
  local told
  told=$(drive tokens opaque 64) || die "tokens on $1 could not be issued"
  issued=${told%% *}
}

issue_beside() {
  local rebuilding
  (
    while "$grantlog" projections rebuild --no-switch >/dev/null 2>&1; do :; done
  ) &
  rebuilding=$!
  started+=("$rebuilding")
  issue_alone "$1"
  pkill -P "$rebuilding" || true
  stop_process "$rebuilding"
}

# follower_sealing STORE, follower_lineage STORE: each prints a line.
follower_sealing() {
  local told
  fill_ledger "$1"
  told=$(GRANTLOG_VAULT__MASTER_KEY_FILE=$ledger_key "$ledger" --store "$ledger_url" seal) || die "the log on $1 could not be sealed"
  printf '%-8s sealing: %s\n' "$1" "$told"
}

# The server grows no tree beside it: that of a log which nobody has sealed yet would be measured.
follower_lineage() {
  local told p50 p99 rest
  fill_ledger "$1"
  "$ledger" --store "$ledger_url" tokens 1000 >"$run/tokens" || die "the log on $1 has no tokens"
  export GRANTLOG_VAULT__MASTER_KEY_FILE=$ledger_key GRANTLOG_TRANSPARENCY__ENABLED=false
  start_grantlog "$1" "$ledger_url" || exit 1
  make_client auditor audit --grant-types client_credentials
  told=$(drive lineage auditor 1 --tokens "$run/tokens") || die "the lineage of tokens on $1 could not be told"
  # shellcheck disable=SC2034 # what is neither of the two
  read -r rest p50 p99 rest <<<"$told"
  printf '%-8s lineage of a token over HTTP, one after the other, in a log of %s grants: p50 %s ms, p99 %s ms\n' "$1" "$grants" \
    "$(milliseconds "$p50")" "$(milliseconds "$p99")"
  stop_grantlog
  unset GRANTLOG_VAULT__MASTER_KEY_FILE GRANTLOG_TRANSPARENCY__ENABLED
}
