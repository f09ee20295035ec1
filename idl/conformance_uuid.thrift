/*
 * What conformance.thrift leaves out because not every runtime has it: `uuid` came to Thrift with 0.18, and the
 * C++ library that Debian has is older, as are the parsers of some runtimes that are not Apache's.
 */

include "conformance.thrift"

namespace rs idl
namespace py conformance_uuid
namespace java conformance.uuid
namespace go conformance_uuid

/** A struct with a uuid in each place where it can stand. */
struct Identified {
  /** A field. */
  1: required uuid id
  /** Elements. */
  2: list<uuid> others
  /** Keys. */
  3: map<uuid, string> names
  /** A struct of another file. */
  4: conformance.Point point
}

/** A service that inherits from one in another file. */
service ConformanceUuid extends conformance.Conformance {
  /** The same. */
  uuid EchoUuid(1: uuid value)
  /** The same. */
  Identified EchoIdentified(1: Identified value)
  /** What the server decoded. */
  string DescribeIdentified(1: Identified value)
}
