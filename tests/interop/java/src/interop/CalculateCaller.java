package interop;

import calculate.ApplicationError;
import calculate.Framing;
import calculate.Options;
import calculate.Protocol;
import calculate.Tls;
import conformance.ConformanceOther;
import conformance.Everything;
import conformance.Narrow;
import conformance.uuid.ConformanceUuid;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** This project's Java client. */
final class CalculateCaller implements Caller {
  private final String server;
  private final Options options;
  private AnyService client;

  CalculateCaller(Map<String, String> arguments) {
    server = arguments.get("--server");
    String[] encoding = arguments.get("--encoding").split("-");
    if (encoding.length > 2
        || !List.of("framed", "unframed").contains(encoding[0])
        || !List.of("binary", "compact").contains(encoding[1])) {
      throw new UnsupportedOperationException(
          "this client does not speak " + arguments.get("--encoding"));
    }
    Options plain =
        Options.defaults()
            .withFraming(encoding[0].equals("framed") ? Framing.FRAMED : Framing.UNFRAMED)
            .withProtocol(encoding[1].equals("binary") ? Protocol.BINARY : Protocol.COMPACT);
    String authority = arguments.get("--tls-ca");
    options = authority == null ? plain : plain.withTls(Tls.ca(Path.of(authority)));
    reconnect();
  }

  @Override
  public void reconnect() {
    if (client != null) {
      client.close();
    }
    client = new AnyService(server, options);
  }

  @Override
  public ConformanceUuid.Iface service() {
    return client.as(ConformanceUuid.Iface.class);
  }

  @Override
  public String newer(Everything value) throws Exception {
    return client.as(ConformanceOther.Iface.class).DescribeNarrow(value);
  }

  @Override
  public Narrow older(String name) throws Exception {
    return client.as(ConformanceOther.Iface.class).Compose(name);
  }

  @Override
  public int missing() throws Exception {
    try {
      throw new AssertionError("an answer, " + client.as(ConformanceOther.Iface.class).Missing(1));
    } catch (ApplicationError e) {
      return e.code();
    }
  }

  /** This client chooses them and checks them: many calls in flight must each get their own answer. */
  @Override
  public void sequenceIds() throws Exception {
    List<CompletableFuture<String>> answers = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      String text = "call " + i;
      answers.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return service().EchoString(text);
                } catch (org.apache.thrift.TException e) {
                  throw new AssertionError(e);
                }
              }));
    }
    for (int i = 0; i < answers.size(); i++) {
      Cases.expect("echo", answers.get(i).get(), "call " + i);
    }
  }

  @Override
  public int code(Exception error) throws Exception {
    if (error instanceof ApplicationError answer) {
      return answer.code();
    }
    throw error;
  }
}
