package calculate;

import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.protocol.TType;

/** Finds the end of an unframed message of the strict binary protocol. */
final class BinaryBoundary extends UnframedBoundary {
  private static final int VERSION_MASK = 0xffff0000;
  private static final int VERSION_1 = 0x80010000;

  BinaryBoundary(int maxMessageBytes) {
    super(maxMessageBytes);
  }

  @Override
  boolean messageHeader() throws TProtocolException {
    if (!has(4)) {
      return false;
    }
    if ((takeI32() & VERSION_MASK) != VERSION_1) {
      throw malformed("bytes that do not begin a message of the binary protocol");
    }
    if (!has(4)) {
      return false;
    }
    skipClaimed(takeI32());
    skip(4);
    return true;
  }

  @Override
  boolean field() throws TProtocolException {
    if (!has(1)) {
      return false;
    }
    byte type = take();
    if (type == TType.STOP) {
      leaveStruct();
      return true;
    }
    skip(2);
    return has(0) && value(type);
  }

  @Override
  boolean value(byte type) throws TProtocolException {
    int size = fixedSize(type);
    if (size > 0) {
      skip(size);
      return true;
    }
    switch (type) {
      case TType.STRING:
        return string();
      case TType.STRUCT:
        enterStruct();
        return true;
      case TType.LIST:
      case TType.SET:
        return elements();
      case TType.MAP:
        return pairs();
      default:
        throw malformed("an unknown field type, " + type);
    }
  }

  private boolean string() throws TProtocolException {
    if (!has(4)) {
      return false;
    }
    skipClaimed(takeI32());
    return true;
  }

  private boolean elements() throws TProtocolException {
    if (!has(5)) {
      return false;
    }
    byte type = take();
    enterElements(type, takeI32());
    return true;
  }

  private boolean pairs() throws TProtocolException {
    if (!has(6)) {
      return false;
    }
    byte keyType = take();
    byte valueType = take();
    enterPairs(keyType, valueType, takeI32());
    return true;
  }

  /** The bytes of a value whose type fixes them, else 0. */
  private static int fixedSize(byte type) {
    switch (type) {
      case TType.BOOL:
      case TType.BYTE:
        return 1;
      case TType.I16:
        return 2;
      case TType.I32:
        return 4;
      case TType.I64:
      case TType.DOUBLE:
        return 8;
      case TType.UUID:
        return 16;
      default:
        return 0;
    }
  }
}
