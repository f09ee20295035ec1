#!/usr/bin/env bash
# Prints the command line of a Thrift compiler of exactly the wanted version, or explains on
# standard error why none can be had and exits 3.
#
#   idl/compiler.sh [VERSION]        VERSION defaults to that of the committed generated code; "any" will do with any
#
# Order: $THRIFT when set, `thrift` on PATH, a copy unpacked earlier, and last Debian's unstable suite,
# unpacked (not installed) beside its own C library, so that it also runs on an older Debian. The mirror
# is read from this machine's own apt sources.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=${1:-$(cat "$root/src/idl/calculate.rs" 2>/dev/null | sed -n 's/.*Thrift Compiler (\([0-9.]*\)).*/\1/p;5q' || true)}
wanted=${wanted:-0.24.0}
cache=$root/target/thrift-compiler

no() { echo "no Thrift compiler $wanted: $*" >&2; exit 3; }
is_wanted() {
  case $("$@" --version 2>/dev/null) in "Thrift version $wanted") ;; "Thrift version "*) [ "$wanted" = any ] ;; *) false ;; esac
}

for candidate in "${THRIFT:-}" thrift; do
  if [ -n "$candidate" ] && is_wanted "$candidate"; then command -v "$candidate"; exit 0; fi
done

unpacked() {
  echo "$(ls "$cache"/root/usr/lib64/ld-linux-x86-64.so.2 "$cache"/root/lib64/ld-linux-x86-64.so.2 2>/dev/null | head -n 1 || true)" \
    --library-path "$cache/root/lib/x86_64-linux-gnu:$cache/root/usr/lib/x86_64-linux-gnu" "$cache/root/usr/bin/thrift"
}
# shellcheck disable=SC2046
if [ -x "$cache/root/usr/bin/thrift" ] && is_wanted $(unpacked); then unpacked; exit 0; fi

command -v apt-get >/dev/null && command -v dpkg >/dev/null || no "not on PATH (set THRIFT=…), and this is not a Debian"
[ "$(dpkg --print-architecture)" = amd64 ] || no "not on PATH (set THRIFT=…), and only amd64 can be unpacked from Debian"
sources() { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; }
mirror=$(sources | sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +(https?:[^ ]+\/debian)\/?( .*)?$/\3/p' | head -n 1)
[ -n "$mirror" ] || no "not on PATH (set THRIFT=…), and apt names no Debian mirror"

rm -rf "$cache"; mkdir -p "$cache"/{lists/partial,archives/partial,debs,root}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$cache/sources.list"
apt=(apt-get -qq -o Dir::Etc::sourcelist="$cache/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$cache/lists"
     -o Dir::Cache::archives="$cache/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
[ -f /usr/share/keyrings/debian-archive-keyring.gpg ] || no "Debian's archive keyring is missing"
log=$cache/log
"${apt[@]}" update >"$log" 2>&1 || no "apt cannot read the unstable suite: $(tail -n 1 "$log")"
(cd "$cache/debs" && "${apt[@]}" download thrift-compiler libc6 libstdc++6 libgcc-s1) >"$log" 2>&1 \
  || no "apt cannot download it: $(tail -n 1 "$log")"
for deb in "$cache"/debs/*.deb; do dpkg -x "$deb" "$cache/root"; done
# shellcheck disable=SC2046
is_wanted $(unpacked) || no "Debian's unstable suite now has $($(unpacked) --version)"
rm -rf "$cache/lists" "$cache/archives"
unpacked
