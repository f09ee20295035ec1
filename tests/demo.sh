#!/usr/bin/env bash
# Starts a server on a free port, calls it from three languages, prints a small table, stops it.
set -euo pipefail
cd "$(dirname "$0")/.."
server=${1:-target/release/calculate}

output=$(mktemp)
$server serve --listen 127.0.0.1:0 >"$output" 2>/dev/null &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid || true; rm -f "$output"' EXIT
for _ in $(seq 100); do
  address=$(sed -n 's/^listening on //p' "$output")
  [ -n "$address" ] && break
  kill -0 $pid || { echo "the server did not start" >&2; exit 1; }
  sleep 0.05
done

failed=0
# row LANGUAGE COMMAND...: Square (the square root) and Cal (the square) of 9, and a number that has no root
row() {
  language=$1; shift
  root=$("$@" --server "$address" --method square 9)
  square=$("$@" --server "$address" --method cal 9)
  refused=$("$@" --server "$address" --method square -4 2>&1) && failed=1
  printf '%-8s %-10s %-8s %s\n' "$language" "$root" "$square" "$refused"
  [ "$root" = 3.0 ] && [ "$square" = 81.0 ] || failed=1
}
echo "server on $address"
printf '%-8s %-10s %-8s %s\n' from 'Square(9)' 'Cal(9)' 'Square(-4)'
row Rust $server call
row Python clients/python/client.py
row Java java -jar clients/java/target/calculate-client.jar
exit $failed
