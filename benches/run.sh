#!/usr/bin/env bash
# Measures what ARCHITECTURE.md quotes, beside the named peers, and prints one table.
#
#   benches/run.sh [server] [converse] [memory] [start] [python] [java] [hostile] [balance]     all of them without arguments
#
# ROUNDS (default 5) and SECONDS_EACH (default 3) set how long; the server is pinned to core 0, the load to core 1.
set -euo pipefail
cd "$(dirname "$0")/.."
# This one has no peers.
[ "$*" = balance ] || cargo build --release --locked --quiet --manifest-path benches/peers/Cargo.toml
exec clients/python/.venv/bin/python benches/bench.py "$@"
