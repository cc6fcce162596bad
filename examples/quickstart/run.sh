#!/bin/bash
# Starts the quickstart in the foreground. Usage: run.sh [BINARY]
binary=$(realpath "${1:-build/release/moongate}")
cd "$(dirname "$0")" || exit 1
cat <<'EOF'
Moongate quickstart, Ctrl-C ends it

  page        http://127.0.0.1:8080/          a browser shows the choice as it happens
  try         curl -i http://127.0.0.1:8080/ask
  facts       curl http://127.0.0.1:8080/facts
  statistics  http://127.0.0.1:8404/

Each request is logged below with the server that a Lua action picked for it.
EOF
exec "$binary" -f moongate.cfg
