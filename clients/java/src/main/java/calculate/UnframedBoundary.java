package calculate;

import org.apache.thrift.protocol.TProtocolException;

/**
 * Walks over an unframed message without decoding it, to find its end. It goes on where it stopped
 * when more bytes come: no byte but those of an incomplete header (12 at most) is looked at twice.
 * It allocates nothing, whatever the message claims.
 */
abstract class UnframedBoundary implements Boundary {
  /** As deep as the library's decoder goes. */
  private static final int MAX_DEPTH = 64;

  private static final byte STRUCT = 0;
  private static final byte ELEMENTS = 1;

  private final int maxMessageBytes;

  /** What encloses the current place, outermost first. */
  private final byte[] kinds = new byte[MAX_DEPTH];

  /**
   * Element types, by the same index: a list has the same one twice, a map its key's and its
   * value's.
   */
  private final byte[] evenTypes = new byte[MAX_DEPTH];

  private final byte[] oddTypes = new byte[MAX_DEPTH];

  /** Elements still to come, by the same index; a map's keys and values count each. */
  private final long[] left = new long[MAX_DEPTH];

  private int depth;
  private boolean inBody;

  /** The current place, counted from the message's beginning. */
  private long at;

  /**
   * The bytes at hand: [from, to) of bytes, where from is the message's beginning. Valid during
   * {@link #end} only.
   */
  private byte[] bytes;

  private int from;
  private int to;

  UnframedBoundary(int maxMessageBytes) {
    this.maxMessageBytes = maxMessageBytes;
  }

  @Override
  public final int end(byte[] bytes, int from, int to) throws TProtocolException {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
    try {
      while (at <= to - from) {
        if (inBody && depth == 0) {
          int end = from + (int) at;
          at = 0;
          inBody = false;
          return end;
        }
        long before = at;
        if (!step()) {
          at = before;
          return INCOMPLETE;
        }
        if (at > maxMessageBytes) {
          throw malformed("a reply longer than " + maxMessageBytes + " bytes");
        }
      }
      return INCOMPLETE;
    } finally {
      this.bytes = null;
    }
  }

  @Override
  public final int headerBytes() {
    return 0;
  }

  /**
   * Walks over the next header and what follows it up to the next one; false if its bytes are not
   * all here.
   */
  private boolean step() throws TProtocolException {
    if (!inBody) {
      if (!messageHeader()) {
        return false;
      }
      inBody = true;
      push(STRUCT, (byte) 0, (byte) 0, 0);
      return true;
    }
    int top = depth - 1;
    if (kinds[top] == STRUCT) {
      return field();
    }
    if (left[top] == 0) {
      depth--;
      return true;
    }
    byte type = (left[top] & 1) == 0 ? evenTypes[top] : oddTypes[top];
    if (!value(type)) {
      return false;
    }
    left[top]--;
    return true;
  }

  /** Walks over the message's header; false if its bytes are not all here. */
  abstract boolean messageHeader() throws TProtocolException;

  /** Walks over a field of a struct, or its end; false if its header's bytes are not all here. */
  abstract boolean field() throws TProtocolException;

  /** Walks over a value, or enters it; false if its header's bytes are not all here. */
  abstract boolean value(byte type) throws TProtocolException;

  /** Whether {@code count} bytes are here to be taken. */
  final boolean has(int count) {
    return to - from - at >= count;
  }

  /** The next byte. The caller has seen that it is here. */
  final byte take() {
    return bytes[from + (int) at++];
  }

  /** The next four bytes as a number. The caller has seen that they are here. */
  final int takeI32() {
    int value = BigEndian.i32(bytes, from + (int) at);
    at += 4;
    return value;
  }

  /** Walks over {@code count} bytes, here or not yet. */
  final void skip(long count) {
    at += count;
  }

  /** Walks over {@code count} bytes whose number the message claims. */
  final void skipClaimed(int count) throws TProtocolException {
    skip(checked(count));
  }

  final void enterStruct() throws TProtocolException {
    push(STRUCT, (byte) 0, (byte) 0, 0);
  }

  final void leaveStruct() {
    depth--;
  }

  final void enterElements(byte type, int count) throws TProtocolException {
    push(ELEMENTS, type, type, checked(count));
  }

  final void enterPairs(byte keyType, byte valueType, int count) throws TProtocolException {
    push(ELEMENTS, keyType, valueType, 2L * checked(count));
  }

  static TProtocolException malformed(String what) {
    return new TProtocolException(TProtocolException.INVALID_DATA, what);
  }

  /** Every element takes a byte at least, so no honest count exceeds the bytes allowed. */
  private int checked(int count) throws TProtocolException {
    if (count < 0 || count > maxMessageBytes) {
      throw malformed("a size of " + Integer.toUnsignedString(count) + " within a reply");
    }
    return count;
  }

  private void push(byte kind, byte evenType, byte oddType, long count) throws TProtocolException {
    if (depth == MAX_DEPTH) {
      throw malformed("a reply nested deeper than " + MAX_DEPTH);
    }
    kinds[depth] = kind;
    evenTypes[depth] = evenType;
    oddTypes[depth] = oddType;
    left[depth] = count;
    depth++;
  }
}
