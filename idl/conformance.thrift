/*
 * Every shape that Thrift can send: what examples/conformance.rs serves, and what the programs in tests/interop call.
 *
 * `make interop` runs them; idl/vectors/conformance.tsv has the values. `uuid`, which not every runtime has, is in
 * conformance_uuid.thrift. Each Describe method answers the server's own words for what it decoded (the grammar is in
 * idl/vectors/conformance.py), so that a mistake in writing cannot be undone by the same mistake in reading.
 */

namespace rs idl
namespace py conformance
namespace java conformance
namespace go conformance
namespace cpp conformance

/** Numbers with gaps, one of them large. */
enum Colour {
  /** The smallest. */
  RED = 1,
  /** The default in Defaults. */
  GREEN = 2,
  /** Behind a gap. */
  BLUE = 4,
  /** Takes three bytes as a varint. */
  VIOLET = 1000000
}

/** A struct that can be a key: a map's or a set's. */
struct Point {
  /** Abscissa. */
  1: required i32 x
  /** Ordinate. */
  2: required i32 y
} (python.immutable = "")

/** One of each base type, with the default requiredness. */
struct Scalars {
  /** true or false. */
  1: bool flag
  /** 8 bits, signed. */
  2: i8 tiny
  /** 16 bits, signed. */
  3: i16 small
  /** 32 bits, signed. */
  4: i32 medium
  /** 64 bits, signed. */
  5: i64 large
  /** IEEE 754 binary64. */
  6: double real
  /** UTF-8. */
  7: string text
  /** Any bytes. */
  8: binary blob
  /** On the wire an i32. */
  9: Colour colour
}

/** One of each base type, each of which may be absent. */
struct Optionals {
  /** true, false or absent: in the compact protocol its value is in the field's header. */
  1: optional bool flag
  /** 8 bits, signed. */
  2: optional i8 tiny
  /** 16 bits, signed. */
  3: optional i16 small
  /** 32 bits, signed. */
  4: optional i32 medium
  /** 64 bits, signed. */
  5: optional i64 large
  /** IEEE 754 binary64. */
  6: optional double real
  /** Empty is not absent. */
  7: optional string text
  /** Empty is not absent. */
  8: optional binary blob
  /** On the wire an i32. */
  9: optional Colour colour
  /** A struct. */
  10: optional Point point
  /** Empty is not absent. */
  11: optional list<i32> numbers
}

/** Defaults of several types. */
struct Defaults {
  /** Must be there. */
  1: required i32 number = 7
  /** Three scripts. */
  2: string text = "standard · стандарт · 標準"
  /** A number of the enum. */
  3: Colour colour = Colour.GREEN
  /** A list. */
  4: list<i32> numbers = [1, 2, 3]
  /** Not the zero of its type. */
  5: bool flag = true
  /** Not a whole number. */
  6: double real = 1.5
  /** A map. */
  7: map<string, i32> table = {"one": 1}
}

/** Containers, and containers in containers. */
struct Containers {
  /** A byte each. */
  1: list<bool> flags
  /** In no order. */
  2: set<i32> numbers
  /** In no order. */
  3: map<string, i64> table
  /** Lists in a list. */
  4: list<list<i32>> matrix
  /** Sets in lists in a map. */
  5: map<string, list<set<i16>>> nested
  /** Maps in a list. */
  6: list<map<i32, string>> tables
  /** A map in a map. */
  7: map<i64, map<string, double>> maps
  /** Structs in a list. */
  8: list<Point> points
  /** Bytes in a list. */
  9: list<binary> blobs
  /** Enum members as values. */
  10: map<string, Colour> colours
  /** Texts in a set. */
  11: set<string> words
}

/** Recursive. */
struct Tree {
  /** What the node holds. */
  1: i32 value
  /** What hangs from it; empty at a leaf. */
  2: list<Tree> children
}

/** Exactly one of them is set. */
union Choice {
  /** A base type. */
  1: bool flag
  /** A base type. */
  2: i64 large
  /** A base type. */
  3: string text
  /** A container. */
  4: list<i32> numbers
  /** A struct. */
  5: Point point
}

/** A union in a struct: the compiler (0.24.0) writes Rust that does not compile for one in a list, set or map. */
struct Chosen {
  /** The union. */
  1: required Choice choice
}

/** All that can be sent, with ids that are far apart and out of order. */
struct Everything {
  /** Base types. */
  1: required Scalars scalars
  /** Comes first in the file, last among the near ids: where ids are sent as differences, one goes backwards. */
  20: optional Optionals extras
  /** Containers. */
  2: optional Containers containers
  /** Recursion. */
  3: optional Tree tree
  /** Unions, not quite in a list. */
  4: optional list<Chosen> choices
  /** More than 15 away from the one before. */
  300: optional string far
  /** Its id takes two bytes as a varint. */
  1000: optional bool farthest
}

/** Everything as an older program knows it: it must skip all the rest. */
struct Narrow {
  /** The last that it knows. */
  1000: optional bool farthest
}

/** What a method may declare. */
exception NotFound {
  /** What was looked for. */
  1: required string name
}

/** Another, with more to say. */
exception Conflict {
  /** A number. */
  1: required i32 code
  /** A text. */
  2: string reason
  /** A struct. */
  3: optional Point where
}

/** A third, which has no field. */
exception Nothing {
}

/** What a risky method is to do. */
enum Outcome {
  /** Return. */
  VALUE = 0,
  /** Throw NotFound. */
  NOT_FOUND = 1,
  /** Throw Conflict. */
  CONFLICT = 2,
  /** Throw Nothing. */
  NOTHING = 3,
  /** Fail with what is not declared. */
  UNDECLARED = 4
}

/** What Conformance inherits. */
service ConformanceBase {
  /** Does nothing, and says so. */
  void Ping()

  /** Leaves a note. No reply is sent. */
  oneway void Note(1: string text)

  /** The last note of the given owner ("owner: text") and how many it has left: "3 text". */
  string Notes(1: string owner)
}

/** Echoes what it is given, and describes what it decoded. */
service Conformance extends ConformanceBase {
  /** The same. */
  bool EchoBool(1: bool value)
  /** The same. */
  i8 EchoI8(1: i8 value)
  /** The same. */
  i16 EchoI16(1: i16 value)
  /** The same. */
  i32 EchoI32(1: i32 value)
  /** The same. */
  i64 EchoI64(1: i64 value)
  /** The same. */
  double EchoDouble(1: double value)
  /** The same. */
  string EchoString(1: string value)
  /** The same. */
  binary EchoBinary(1: binary value)
  /** The same. */
  Choice EchoChoice(1: Choice value)
  /** The same. */
  Everything EchoEverything(1: Everything value)
  /** The same: structs as keys. */
  map<Point, string> EchoStructKeys(1: map<Point, string> value)
  /** The same: containers in a set. */
  set<list<i32>> EchoListsInSet(1: set<list<i32>> value)

  /** What the server decoded. */
  string DescribeText(1: string value)
  /** What the server decoded. */
  string DescribeBinary(1: binary value)
  /** What the server decoded, of several arguments in no order. */
  string DescribeScalars(8: bool flag, 1: i8 tiny, 3: i16 small, 2: i32 medium, 300: i64 large, 4: double real, 5: Colour colour)
  /** What the server decoded. */
  string DescribeEverything(1: Everything value)
  /** What the server decoded: what the caller leaves out has its default. */
  string DescribeDefaults(1: Defaults value)
  /** What the server decoded. */
  string DescribeStructKeys(1: map<Point, string> value)
  /** What the server decoded. */
  string DescribeListsInSet(1: set<list<i32>> value)
  /** What the server decoded: it skips what it does not know. */
  string DescribeNarrow(1: Narrow value)

  /** The value of that name, made by the server. */
  Everything Compose(1: string name) throws (1: NotFound unknown)

  /** "fine", or what `outcome` asks for. */
  string Risk(1: Outcome outcome) throws (1: NotFound lost, 2: Conflict conflict, 5: Nothing nothing)
  /** As Risk, without a value. */
  void RiskVoid(1: Outcome outcome) throws (1: NotFound lost, 2: Conflict conflict, 5: Nothing nothing)
}

/** Conformance as programs of other days see it. No server has it: clients call it on the same connection. */
service ConformanceOther {
  /** A newer caller sends more than the server knows. */
  string DescribeNarrow(1: Everything value)
  /** An older caller gets more than it knows. */
  Narrow Compose(1: string name)
  /** No server has it. */
  i32 Missing(1: i32 value)
}
