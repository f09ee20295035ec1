#!/usr/bin/env bash
# Fuzzes every target, or the named ones, for SECONDS_EACH (default 60) seconds, and keeps what was found in the corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
python3 fuzz/seed.py
for target in ${*:-detect binary compact theader ttheader reply access}; do
  cargo +nightly fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-60}" -max_len=4096 -timeout=10 -rss_limit_mb=2048
done
