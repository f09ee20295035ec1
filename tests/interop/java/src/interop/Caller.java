package interop;

import conformance.Everything;
import conformance.Narrow;
import conformance.uuid.ConformanceUuid;

/** The service through one runtime, on one connection. */
interface Caller {
  /** The methods. */
  ConformanceUuid.Iface service();

  /** DescribeNarrow as a newer caller sees it. */
  String newer(Everything value) throws Exception;

  /** Compose as an older caller sees it. */
  Narrow older(String name) throws Exception;

  /** Calls a method that no server has; answers the code of the TApplicationException. */
  int missing() throws Exception;

  /** Checks that replies carry their calls' sequence ids. */
  void sequenceIds() throws Exception;

  /** The code of the TApplicationException that the error stands for; throws it if it is another. */
  int code(Exception error) throws Exception;

  /** A new connection, after a failure. */
  void reconnect() throws Exception;
}
