/*
 * What calculate.thrift may become: another version of the same service that old clients can call, and whose clients can
 * call old servers. `make chaos` lets them.
 */

namespace rs idl
namespace py newer
namespace java newer

/** One real number. */
struct Number {
  1: required double value
  /** Who computed it; nothing from a server that does not know the field. */
  2: optional string computedBy
}

/** The argument lies outside the domain on which the function is defined. */
exception DomainError {
  1: required string message
  2: required double value
}

/** Arithmetic on one real number. */
service Calculate {
  Number Square(1: Number number) throws (1: DomainError error)
  Number Cal(1: Number number)
  /** The cube root. */
  Number Cube(1: Number number)
}
