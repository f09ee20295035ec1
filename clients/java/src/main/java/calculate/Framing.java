package calculate;

/** How messages follow one another on the connection. Client and server must agree on it. */
public enum Framing {
  /** Each message follows its length, 4 bytes, most significant first: TFramedTransport. */
  FRAMED,

  /** Messages follow one another as they are: TBufferedTransport or none. */
  UNFRAMED;

  /** A finder of the end of each reply, for one connection. */
  Boundary boundary(Protocol protocol, int maxMessageBytes) {
    if (this == FRAMED) {
      return new FrameBoundary(maxMessageBytes);
    }
    return protocol == Protocol.BINARY
        ? new BinaryBoundary(maxMessageBytes)
        : new CompactBoundary(maxMessageBytes);
  }
}
