package calculate;

import org.apache.thrift.protocol.TProtocolException;

/** Finds the end of an unframed message of the compact protocol. */
final class CompactBoundary extends UnframedBoundary {
  private static final byte PROTOCOL_ID = (byte) 0x82;
  private static final int VERSION_MASK = 0x1f;
  private static final int VERSION = 1;
  private static final int LONG_COUNT = 15;

  private static final byte STOP = 0;
  private static final byte TRUE = 1;
  private static final byte FALSE = 2;
  private static final byte BYTE = 3;
  private static final byte I16 = 4;
  private static final byte I32 = 5;
  private static final byte I64 = 6;
  private static final byte DOUBLE = 7;
  private static final byte BINARY = 8;
  private static final byte LIST = 9;
  private static final byte SET = 10;
  private static final byte MAP = 11;
  private static final byte STRUCT = 12;
  private static final byte UUID = 13;

  /** What {@link #varint} read last. */
  private int varint;

  CompactBoundary(int maxMessageBytes) {
    super(maxMessageBytes);
  }

  @Override
  boolean messageHeader() throws TProtocolException {
    if (!has(2)) {
      return false;
    }
    if (take() != PROTOCOL_ID || (take() & VERSION_MASK) != VERSION) {
      throw malformed("bytes that do not begin a message of the compact protocol");
    }
    return varint(5) && string();
  }

  @Override
  boolean field() throws TProtocolException {
    if (!has(1)) {
      return false;
    }
    int header = take();
    if (header == STOP) {
      leaveStruct();
      return true;
    }
    if ((header & 0xf0) == 0 && !varint(5)) {
      return false;
    }
    byte type = (byte) (header & 0x0f);
    return type == TRUE || type == FALSE || value(type);
  }

  @Override
  boolean value(byte type) throws TProtocolException {
    switch (type) {
      case TRUE:
      case FALSE:
      case BYTE:
        skip(1);
        return true;
      case I16:
      case I32:
        return varint(5);
      case I64:
        return varint(10);
      case DOUBLE:
        skip(8);
        return true;
      case UUID:
        skip(16);
        return true;
      case BINARY:
        return string();
      case LIST:
      case SET:
        return elements();
      case MAP:
        return pairs();
      case STRUCT:
        enterStruct();
        return true;
      default:
        throw malformed("an unknown field type, " + type);
    }
  }

  private boolean string() throws TProtocolException {
    if (!varint(5)) {
      return false;
    }
    skipClaimed(varint);
    return true;
  }

  private boolean elements() throws TProtocolException {
    if (!has(1)) {
      return false;
    }
    int header = take();
    int count = (header >> 4) & 0x0f;
    if (count == LONG_COUNT) {
      if (!varint(5)) {
        return false;
      }
      count = varint;
    }
    enterElements((byte) (header & 0x0f), count);
    return true;
  }

  private boolean pairs() throws TProtocolException {
    if (!varint(5)) {
      return false;
    }
    if (varint == 0) {
      return true;
    }
    if (!has(1)) {
      return false;
    }
    int types = take();
    enterPairs((byte) ((types >> 4) & 0x0f), (byte) (types & 0x0f), varint);
    return true;
  }

  /**
   * Walks over a varint of at most {@code maxBytes}, keeping its low 32 bits; false if it is not
   * all here.
   */
  private boolean varint(int maxBytes) throws TProtocolException {
    varint = 0;
    for (int count = 0; count < maxBytes; count++) {
      if (!has(1)) {
        return false;
      }
      byte next = take();
      if (count < 5) {
        varint |= (next & 0x7f) << (7 * count);
      }
      if (next >= 0) {
        return true;
      }
    }
    throw malformed("a variable-length number of more than " + maxBytes + " bytes");
  }
}
