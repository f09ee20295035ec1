#!/usr/bin/env bash
# Compiles the IDL files into Rust, Python and Java.
#
#   idl/generate.sh            writes the generated code into the tree
#   idl/generate.sh --check    changes nothing; fails when the committed code is not what the IDL gives.
#                              Passes, and says so, when no compiler of the committed version can be had.
set -eu
cd "$(dirname "$0")/.."
check=no; [ "${1:-}" = --check ] && check=yes

if ! thrift=$(idl/compiler.sh); then
  [ $check = yes ] && { echo "generated code: not compared, as no compiler can be had"; exit 0; }
  exit 3
fi
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

# generate IDL LANGUAGE FOLDER-THE-COMPILER-WRITES FOLDER-IN-THE-TREE
generate() {
  mkdir -p "$out/raw/$4" "$out/tree/$4"
  # The compiler announces at every run that its Rust target is deprecated; ARCHITECTURE.md says it once.
  $thrift -strict --gen "$2" -out "$out/raw/$4" "$1" 2> >(grep -v 'RUST compiler target is being deprecated' >&2)
  cp -r "$out/raw/$4/$3/." "$out/tree/$4"
  rm -f "$out/tree/$4"/*-remote    # command line stubs without time-outs: the clients' own programs do better
}
# As `generate … rs`, and made generic over the protocol.
generate_generic() {
  generate "$1" rs . "$2"
  for file in "$out/raw/$2"/*.rs; do sed -E -f idl/generic.sed "$file" >"$out/tree/$2/${file##*/}"; done
}
java=java:generated_annotations=suppress,private_members
generate_generic idl/calculate.thrift src/idl
generate idl/calculate.thrift         rs     .              benches/peers/src/idl
generate idl/calculate.thrift         py     calculate/_gen clients/python/src/calculate/_gen
generate idl/calculate.thrift         "$java" calculate/idl clients/java/src/generated/java/calculate/idl
generate examples/wordcount.thrift    rs     .              examples/idl
generate_generic tests/support/wire.thrift tests/support/idl
generate tests/support/wire.thrift    py     wire           fuzz/differential/python/gen/wire
generate tests/support/wire.thrift    "$java" wire         fuzz/differential/java/gen/wire
generate idl/conformance.thrift       rs     .              examples/conformance/idl
generate idl/conformance_uuid.thrift  rs     .              examples/conformance/idl
generate idl/conformance.thrift       py     conformance    tests/interop/python/gen/conformance
generate idl/conformance_uuid.thrift  py     conformance_uuid tests/interop/python/gen/conformance_uuid
generate idl/conformance.thrift       "$java" conformance   tests/interop/java/gen/conformance
generate idl/conformance_uuid.thrift  "$java" conformance/uuid tests/interop/java/gen/conformance/uuid
generate tests/chaos/newer/newer.thrift rs   .              examples/newer/idl
generate tests/chaos/newer/newer.thrift py   newer          tests/chaos/newer/python/newer
generate tests/chaos/newer/newer.thrift "$java" newer       tests/chaos/newer/java/newer

if [ $check = no ]; then cp -r "$out/tree/." .; exit 0; fi
for folder in $(cd "$out/tree" && find . -type f -printf '%h\n' | sort -u); do
  diff -r --exclude=__pycache__ "$folder" "$out/tree/$folder" || { echo "generated code: $folder is stale; run 'make gen'" >&2; exit 1; }
done
echo "generated code: fresh"
