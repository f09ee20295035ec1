package calculate;

import calculate.idl.Calculate;
import calculate.idl.DomainError;
import calculate.idl.Number;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * The service on Apache's own Java server, which answers one call of a connection after the other.
 */
final class ApacheServer implements AutoCloseable {
  private final TServerSocket listener;
  private final TServer server;

  ApacheServer(Protocol protocol, Framing framing) throws Exception {
    listener = new TServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    TProtocolFactory protocols =
        protocol == Protocol.BINARY
            ? new TBinaryProtocol.Factory()
            : new TCompactProtocol.Factory();
    TTransportFactory transports =
        framing == Framing.FRAMED ? new TFramedTransport.Factory() : new TTransportFactory();
    server =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(listener)
                .processor(new Calculate.Processor<>(new Handler()))
                .protocolFactory(protocols)
                .transportFactory(transports)
                .minWorkerThreads(1));
    Background.start(server::serve);
    Background.eventually(server::isServing);
  }

  String address() {
    return "127.0.0.1:" + listener.getServerSocket().getLocalPort();
  }

  @Override
  public void close() {
    server.stop();
  }

  private static final class Handler implements Calculate.Iface {
    @Override
    public Number Square(Number number) throws DomainError {
      if (number.getValue() < 0) {
        throw new DomainError(
            "the square root of a negative number is not real", number.getValue());
      }
      return new Number(Math.sqrt(number.getValue()));
    }

    @Override
    public Number Cal(Number number) {
      return new Number(number.getValue() * number.getValue());
    }
  }
}
