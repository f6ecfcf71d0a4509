# shellcheck shell=bash
# examples/mcp, with a grantlog of its own, for the tests from outside: sourced by scripts/test.

mcp_pid=

# start_mcp STORE: `postgres` or `sqlite`, a new one. Exports where the MCP server and its issuer are, and the folder to run the command line in:
# GRANTLOG_TEST_MCP_URL, GRANTLOG_TEST_MCP_ISSUER, GRANTLOG_TEST_MCP_HOME.
start_mcp() {
  local folder issuer port store=()
  issuer=$(free_port)
  port=$(free_port)
  folder=$run/mcp-$port
  mkdir "$folder"
  make_certificate
  # Documents of clients are looked for on this machine.
  printf '\n[fetch]\nprivate_hosts = ["127.0.0.1"]\nca_files = ["%s"]\n' "$GRANTLOG_TEST_CERTIFICATE" |
    cat examples/mcp/grantlog.toml - >"$folder/grantlog.toml"
  [[ $1 != postgres ]] || store=(--store "$(new_database "mcp_$port")")
  TMPDIR=$folder PYTHONPATH=$root/clients/python examples/mcp/run --grantlog "$grantlog" --python "$venv/bin/python" --ports "$issuer" "$port" \
    --settings "$folder/grantlog.toml" "${store[@]}" >"$folder/log" 2>&1 &
  mcp_pid=$!
  started+=("$mcp_pid")
  if ! wait_until 180 grep -q Ctrl-C "$folder/log"; then
    tail -n 20 "$folder/log"
    say 'FAILED: examples/mcp did not start within three minutes'
    return 1
  fi
  GRANTLOG_TEST_MCP_HOME=$(echo "$folder"/grantlog-mcp-*)
  export GRANTLOG_TEST_MCP_HOME GRANTLOG_TEST_MCP_ISSUER=http://127.0.0.1:$issuer/o GRANTLOG_TEST_MCP_URL=http://127.0.0.1:$port/mcp
}

# stop_mcp: what was started after it has been stopped.
stop_mcp() {
  stop_process "$mcp_pid"
  unset "started[-1]"
}
