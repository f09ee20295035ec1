package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which instances there are: idl/vectors/instances.tsv, list.tsv, versions.tsv and targets.tsv. */
class InstanceVectorsTest {
  static Stream<Rows.Row> nodes() throws Exception {
    return Rows.of("instances.tsv");
  }

  static Stream<List<Rows.Row>> lists() throws Exception {
    return Rows.scenarios("list.tsv").values().stream();
  }

  static Stream<Rows.Row> versions() throws Exception {
    return Rows.of("versions.tsv");
  }

  static Stream<Rows.Row> targets() throws Exception {
    return Rows.of("targets.tsv");
  }

  @ParameterizedTest
  @MethodSource
  void nodes(Rows.Row row) throws Exception {
    byte[] content = content(row);
    if (row.cell(3).startsWith("skipped ")) {
      var skipped =
          assertThrows(InstanceNode.Skipped.class, () -> InstanceNode.read("id", content));
      String word = row.cell(3).substring("skipped ".length());
      assertTrue(word.equals("-") || skipped.getMessage().contains(word), skipped.getMessage());
      assertEquals(1, skipped.getMessage().lines().count());
    } else {
      Instance instance = InstanceNode.read("id", content);
      assertEquals(row.cell(3), text(instance));
      assertEquals(instance, InstanceNode.read("id", InstanceNode.write(instance)));
    }
  }

  @ParameterizedTest
  @MethodSource
  void lists(List<Rows.Row> rows) {
    InstanceList list = new InstanceList();
    for (Rows.Row row : rows) {
      long now = Long.parseLong(row.cell(1));
      List<Instance> found =
          Rows.words(row.cell(3)).stream()
              .filter(word -> word.contains("="))
              .map(this::instance)
              .toList();
      List<InstanceList.Change> changes =
          switch (row.cell(2)) {
            case "cached" -> list.cached(found);
            case "read" -> list.read(now, found);
            case "connected" -> connected(list, now);
            case "lost" -> list.lost();
            case "failed" -> list.failed(row.cell(3));
            default -> list.tick(now);
          };
      assertEquals(row.cell(4), orDash(list.instances().stream().map(Instance::id)), row::toString);
      assertEquals(row.cell(5), orDash(changes.stream().map(this::text)), row::toString);
    }
  }

  @ParameterizedTest
  @MethodSource
  void versions(Rows.Row row) throws Exception {
    String hosted = row.cell(1);
    String payload = hosted.equals("-") ? "" : ",\"payload\":{\"version\":\"" + hosted + "\"}";
    String node = "{\"address\":\"a\",\"port\":1" + payload + "}";
    Instance instance = InstanceNode.read("id", node.getBytes(StandardCharsets.UTF_8));
    VersionRange asked =
        row.cell(2).equals("-") ? VersionRange.ANY : VersionRange.parse(row.cell(2));
    String called = row.cell(3);
    assertEquals(called.equals("-") ? 0 : Integer.parseInt(called), instance.calledVersion(asked));
  }

  @ParameterizedTest
  @MethodSource
  void targets(Rows.Row row) {
    String text = row.cell(0);
    if (row.cell(1).equals("wrong")) {
      var error =
          assertThrows(IllegalArgumentException.class, () -> ServiceTarget.parse(text))
              .getMessage();
      String what = error.substring(0, error.indexOf(": give ")).replace(text, "");
      assertTrue(what.contains(row.cell(2)), what);
      assertTrue(error.contains(text) || text.indexOf('@') > 0, error);
      assertTrue(!error.contains("secret") && error.contains("zk://") && error.contains("dns://"));
    } else {
      assertEquals(row.cell(1) + " " + row.cell(2), text(ServiceTarget.parse(text)));
    }
  }

  /** What the node of a row holds. */
  static byte[] content(Rows.Row row) {
    return content(row.cell(1), row.cell(2));
  }

  private static byte[] content(String cell, String fill) {
    byte[] content =
        cell.startsWith("hex:")
            ? HexFormat.of().parseHex(cell.substring(4))
            : cell.getBytes(StandardCharsets.UTF_8);
    if (fill.equals("-")) {
      return content;
    }
    byte[] filled = Arrays.copyOf(content, Integer.parseInt(fill));
    Arrays.fill(filled, content.length, filled.length, (byte) ' ');
    return filled;
  }

  private static String text(Instance instance) {
    return String.format(
        Locale.ROOT,
        "address=%s port=%s sslPort=%s version=%s group=%s weight=%d zone=%s enabled=%s registrationTimeUTC=%d",
        instance.address(),
        instance.port() == 0 ? "-" : instance.port(),
        instance.sslPort() == 0 ? "-" : instance.sslPort(),
        instance.versions().isEmpty()
            ? "any"
            : instance.versions().stream().map(String::valueOf).collect(Collectors.joining(",")),
        instance.group().isEmpty() ? "-" : instance.group(),
        instance.weight(),
        instance.zone().isEmpty() ? "-" : instance.zone(),
        instance.enabled() ? "yes" : "no",
        instance.registeredMillis());
  }

  private Instance instance(String pair) {
    String[] parts = pair.split("=");
    Instance server = Instance.at(new Target.Tcp(parts[1], 1));
    return new Instance(
        parts[0], parts[1], 1, 0, List.of(), server.group(), server.weight(), "", true, 0);
  }

  private static List<InstanceList.Change> connected(InstanceList list, long now) {
    list.connected(now);
    return List.of();
  }

  private String text(InstanceList.Change change) {
    String kind = change.kind().name().toLowerCase(Locale.ROOT);
    return change.id().isEmpty() ? kind : kind + "=" + change.id();
  }

  private static String text(ServiceTarget target) {
    if (target instanceof ServiceTarget.Direct direct) {
      return direct.server() instanceof Target.Unix unix
          ? "unix " + unix.path()
          : "direct " + parts((Target.Tcp) direct.server());
    }
    if (target instanceof ServiceTarget.Several several) {
      return several.servers().stream()
          .map(InstanceVectorsTest::parts)
          .collect(Collectors.joining(" ", "list ", ""));
    }
    if (target instanceof ServiceTarget.Dns dns) {
      return "dns " + parts(dns.server());
    }
    ServiceTarget.ZooKeeper service = (ServiceTarget.ZooKeeper) target;
    VersionRange range = service.versions();
    return String.format(
        "zookeeper servers=%s path=%s version=%s group=%s zone=%s",
        service.servers(),
        service.path(),
        range.equals(VersionRange.ANY) ? "any" : range.low() + "-" + range.high(),
        service.group(),
        service.zone().isEmpty() ? "-" : service.zone());
  }

  private static String parts(Target.Tcp server) {
    return server.host() + " " + server.port();
  }

  private static String orDash(Stream<String> words) {
    String text = words.collect(Collectors.joining(" "));
    return text.isEmpty() ? "-" : text;
  }
}
