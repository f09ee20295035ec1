package calculate;

import org.apache.thrift.TException;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolUtil;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.protocol.TType;

/**
 * The call that probes a server: whoever answers it, also that there is no such method, is well.
 */
final class Ping {
  static final Method<Nothing, Boolean> METHOD =
      new Method<>("ping", Nothing::new, (result, server) -> true);

  private Ping() {}

  /** A struct without fields, and one whose fields are not looked at. */
  static final class Nothing implements TSerializable {
    private static final TStruct STRUCT = new TStruct("ping");

    @Override
    public void read(TProtocol in) throws TException {
      in.readStructBegin();
      for (TField field = in.readFieldBegin();
          field.type != TType.STOP;
          field = in.readFieldBegin()) {
        TProtocolUtil.skip(in, field.type);
        in.readFieldEnd();
      }
      in.readStructEnd();
    }

    @Override
    public void write(TProtocol out) throws TException {
      out.writeStructBegin(STRUCT);
      out.writeFieldStop();
      out.writeStructEnd();
    }
  }
}
