package calculate.bench;

import calculate.idl.Calculate;
import calculate.idl.Number;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * libthrift's generated client, framed and binary, on a socket with TCP_NODELAY, with or without a
 * time-out for each read.
 */
final class LibthriftBlocking implements Contestant {
  private final String name;
  private final TSocket socket;
  private final Calculate.Client client;

  LibthriftBlocking(String address, int timeoutMillis) throws Exception {
    name = timeoutMillis > 0 ? "libthrift with a time-out" : "libthrift";
    int colon = address.lastIndexOf(':');
    socket =
        new TSocket(
            address.substring(0, colon),
            Integer.parseInt(address.substring(colon + 1)),
            timeoutMillis);
    socket.open();
    socket.getSocket().setTcpNoDelay(true);
    client = new Calculate.Client(new TBinaryProtocol(new TFramedTransport(socket)));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int callsPerRound() {
    return 500;
  }

  @Override
  public void round(int calls) throws Exception {
    for (int i = 0; i < calls; i++) {
      if (client.Square(new Number(9)).getValue() != 3) {
        throw new IllegalStateException("a wrong result");
      }
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
