#!/usr/bin/env bash
# Runs a real ZooKeeper for tests, in the foreground and in this very process: a test may stop, pause or kill it.
# Built once, into target/zookeeper. `start.sh --help` says the rest; `start.sh --build` only builds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../target/zookeeper
jar=$out/zookeeper-for-tests.jar

fresh() { [ -e "$jar" ] && [ -z "$(find "$here/src" "$here/pom.xml" -newer "$jar" -print -quit)" ]; }
if ! fresh; then
  mkdir -p "$out"
  # Tests of several languages, or several tests at once, may come here first.
  (
    flock 9
    fresh || { ${MVN:-mvn -B -q} -f "$here/pom.xml" package >&2 && touch "$jar"; }
  ) 9>"$out/lock"
fi
[ "${1:-}" = --build ] && exit 0
exec java -Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
  -Dorg.slf4j.simpleLogger.defaultLogLevel="${ZOOKEEPER_LOG:-off}" \
  -cp "$jar:$out/lib/*" calculate.zookeeper.ZooKeeperForTests "$@"
