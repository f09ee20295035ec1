/* Every shape that the wire tests need and that calculate.thrift has no use for. */
namespace rs idl
namespace py wire
namespace java wire

enum Colour { RED = 1, GREEN = 2, BLUE = 4 }

struct Tree {
  1: optional i32 value
  2: optional list<Tree> children
}

union Choice {
  1: i64 whole
  2: string text
}

struct Everything {
  1: optional bool flag
  2: optional i8 tiny
  3: optional i16 short_
  4: optional i32 medium
  5: optional i64 long_
  6: optional double real
  7: optional string text
  8: optional binary blob
  9: optional Colour colour
  10: optional Choice choice
  11: optional list<bool> flags
  12: optional set<i32> numbers
  13: optional map<string, list<i64>> table
  14: optional Tree tree
  15: optional uuid id
  300: optional list<Tree> far
}

exception Refused { 1: required string why }

service Wire {
  Everything Echo(1: Everything everything) throws (1: Refused refused)
  void Ping()
  oneway void Note(1: string text)
  /** Sleeps on the handler's thread, then answers milliseconds. */
  i32 Sleep(1: i32 milliseconds)
  /** Panics. */
  void Panic()
  /** Answers a handler's own, undeclared error. */
  void Fail(1: string why)
}
