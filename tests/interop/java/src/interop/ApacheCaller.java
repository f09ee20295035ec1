package interop;

import conformance.ConformanceBase;
import conformance.ConformanceOther;
import conformance.Everything;
import conformance.Narrow;
import conformance.uuid.ConformanceUuid;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Map;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSSLTransportFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/** Apache's Java library (libthrift on Maven Central), unmodified. */
final class ApacheCaller implements Caller {
  private static final int TIMEOUT_MS = 10_000;
  private static final String PASSWORD = "trusted";

  private final Map<String, String> options;
  private final String[] encoding;
  private TTransport transport;
  private TProtocol protocol;
  private ConformanceUuid.Iface service;
  private ConformanceOther.Iface other;

  ApacheCaller(Map<String, String> options) throws TTransportException {
    this.options = options;
    this.encoding = options.get("--encoding").split("-");
    reconnect();
  }

  @Override
  public void reconnect() throws TTransportException {
    if (transport != null) {
      transport.close();
    }
    TTransport socket = socket();
    transport =
        switch (encoding[0]) {
          case "framed" -> new TFramedTransport(socket);
          case "unframed" -> socket;
          default -> throw unsupported();
        };
    protocol =
        switch (encoding[1]) {
          case "binary" -> new TBinaryProtocol(transport);
          case "nonstrict" -> new TBinaryProtocol(transport, false, false);
          case "compact" -> new TCompactProtocol(transport);
          default -> throw unsupported();
        };
    if (encoding.length > 2) {
      protocol = new TMultiplexedProtocol(protocol, "Conformance");
    }
    service = new ConformanceUuid.Client(protocol);
    other = new ConformanceOther.Client(protocol);
  }

  private UnsupportedOperationException unsupported() {
    return new UnsupportedOperationException(
        "libthrift does not speak " + options.get("--encoding"));
  }

  private TTransport socket() throws TTransportException {
    String[] server = options.get("--server").split(":");
    int port = Integer.parseInt(server[1]);
    if (options.containsKey("--tls-ca")) {
      var parameters = new TSSLTransportFactory.TSSLTransportParameters();
      parameters.setTrustStore(
          trustStore(options.get("--tls-ca")).toString(), PASSWORD, null, "PKCS12");
      return TSSLTransportFactory.getClientSocket(server[0], port, TIMEOUT_MS, parameters);
    }
    TTransport socket = new TSocket(server[0], port, TIMEOUT_MS);
    socket.open();
    return socket;
  }

  /** The authority as a file of the kind that libthrift wants. */
  private static Path trustStore(String authority) throws TTransportException {
    try (InputStream pem = Files.newInputStream(Path.of(authority))) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(pem));
      Path file = Files.createTempFile("authority", ".p12");
      file.toFile().deleteOnExit();
      try (OutputStream out = Files.newOutputStream(file)) {
        store.store(out, PASSWORD.toCharArray());
      }
      return file;
    } catch (IOException | GeneralSecurityException e) {
      throw new TTransportException(e);
    }
  }

  @Override
  public ConformanceUuid.Iface service() {
    return service;
  }

  @Override
  public String newer(Everything value) throws Exception {
    return other.DescribeNarrow(value);
  }

  @Override
  public Narrow older(String name) throws Exception {
    return other.Compose(name);
  }

  @Override
  public int missing() throws Exception {
    try {
      throw new AssertionError("an answer, " + other.Missing(1));
    } catch (TApplicationException e) {
      return e.getType();
    }
  }

  /** libthrift checks them itself; here are some that it would not come to. */
  @Override
  public void sequenceIds() throws Exception {
    for (int id : new int[] {0, 1, 77, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      protocol.writeMessageBegin(new TMessage("Ping", TMessageType.CALL, id));
      new ConformanceBase.Ping_args().write(protocol);
      protocol.writeMessageEnd();
      transport.flush();
      TMessage reply = protocol.readMessageBegin();
      new ConformanceBase.Ping_result().read(protocol);
      protocol.readMessageEnd();
      Cases.expect("reply", "" + reply, "" + new TMessage("Ping", TMessageType.REPLY, id));
    }
  }

  @Override
  public int code(Exception error) throws Exception {
    if (error instanceof TApplicationException answer) {
      return answer.getType();
    }
    throw error;
  }
}
