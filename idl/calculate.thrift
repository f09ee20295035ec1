/*
 * The Calculate service: the only source of truth for what travels between its callers and its servers.
 *
 * `make gen` compiles this file into Rust (src/idl), Python (clients/python/src/calculate/_gen) and
 * Java (clients/java/src/generated/java). To serve something else, replace this file and src/service.rs.
 */

namespace rs idl
namespace py calculate._gen
namespace java calculate.idl

/** One real number. */
struct Number {
  /** An IEEE 754 binary64 number; NaN, the infinities and -0.0 travel unchanged. */
  1: required double value
}

/** The argument lies outside the domain on which the function is defined. */
exception DomainError {
  /** What is wrong with the argument, for a person to read. */
  1: required string message
  /** The argument as it was received. */
  2: required double value
}

/** Arithmetic on one real number. Both methods are pure, so a call may be repeated without harm. */
service Calculate {
  /**
   * The principal SQUARE ROOT of `number` (not its square: see Cal). The name is the article's, whose
   * Square computes `math.sqrt`.
   *
   * IEEE 754 squareRoot: correctly rounded; NaN gives NaN, +infinity gives +infinity, -0.0 gives -0.0.
   * A negative number, -infinity included, is a DomainError.
   */
  Number Square(1: Number number) throws (1: DomainError error)

  /**
   * The square of `number`: number * number in IEEE 754 binary64. NaN gives NaN; a result too large gives
   * +infinity.
   */
  Number Cal(1: Number number)
}
