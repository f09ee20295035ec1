package calculate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Integers in network order within byte arrays. */
final class BigEndian {
  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private BigEndian() {}

  static int i32(byte[] bytes, int at) {
    return (int) I32.get(bytes, at);
  }

  static void putI32(byte[] bytes, int at, int value) {
    I32.set(bytes, at, value);
  }
}
