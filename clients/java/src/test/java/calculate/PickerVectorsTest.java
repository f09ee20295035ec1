package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who is called: idl/vectors/balance.tsv, hash.tsv and latency.tsv. */
class PickerVectorsTest {
  private static final double TOLERANCE = 0.000002;

  static Stream<Rows.Row> balance() throws Exception {
    return Rows.of("balance.tsv");
  }

  static Stream<Rows.Row> hash() throws Exception {
    return Rows.of("hash.tsv");
  }

  static Stream<Rows.Row> latency() throws Exception {
    return Rows.of("latency.tsv");
  }

  @ParameterizedTest
  @MethodSource
  void balance(Rows.Row row) {
    Map<String, String> settings = Rows.pairs(row.cell(1), " ");
    List<Member> members = members(row.cell(2));
    Picker picker = picker(settings);
    byte[] key =
        settings.containsKey("key") ? settings.get("key").getBytes(StandardCharsets.UTF_8) : null;
    List<String> triedIds = List.of(settings.getOrDefault("tried", "").split(","));
    List<Member> tried = members.stream().filter(m -> triedIds.contains(m.id())).toList();
    List<String> picks = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(settings.get("calls")); i++) {
      Member picked = picker.pick(members, tried, key, 0);
      picks.add(picked == null ? "none" : picked.id());
      if ("yes".equals(settings.get("hold"))) {
        picked.inFlight.incrementAndGet();
      }
    }
    assertEquals(row.cell(3), String.join(" ", picks));
  }

  @ParameterizedTest
  @MethodSource
  void hash(Rows.Row row) {
    String key = row.cell(3);
    byte[] bytes = HexFormat.of().parseHex(key.equals("-") ? "" : key);
    List<Member> members = row.cell(2).equals("-") ? List.of() : members(row.cell(2));
    String result =
        switch (row.cell(1)) {
          case "hash" -> HexFormat.of().toHexDigits(HashRing.hash64(bytes));
          case "points" -> Integer.toString(HashRing.pointsOf(members.get(0).instance().weight()));
          case "ring" ->
              new HashRing(members)
                  .points(new HashSet<>(members)).stream()
                      .map(p -> HexFormat.of().toHexDigits(p.place()) + "=" + p.member().id())
                      .collect(Collectors.joining(" "));
          default -> new HashRing(members).pick(new HashSet<>(members), bytes).id();
        };
    assertEquals(row.cell(4), result);
  }

  @ParameterizedTest
  @MethodSource
  void latency(Rows.Row row) {
    Latency latency = new Latency();
    for (String sample : Rows.words(row.cell(1))) {
      if (sample.endsWith("+")) {
        latency.forget();
        continue;
      }
      String[] pair = sample.split("[=!]");
      long now = Long.parseLong(pair[0]);
      double took = Double.parseDouble(pair[1]);
      if (sample.contains("!")) {
        latency.fail(now, took);
      } else {
        latency.sample(now, took);
      }
    }
    long at = Long.parseLong(row.cell(2));
    assertEquals(Double.parseDouble(row.cell(3)), latency.at(at), TOLERANCE);
    assertEquals(Integer.parseInt(row.cell(4)), latency.classAt(at));
  }

  private static Picker picker(Map<String, String> settings) {
    String range = settings.get("version");
    Wanted wanted =
        new Wanted(
            range == null ? VersionRange.ANY : VersionRange.parse(range),
            settings.getOrDefault("group", "default"),
            settings.getOrDefault("zone", ""),
            false);
    return new Picker(
        Balance.valueOf(settings.get("balance").toUpperCase(Locale.ROOT)),
        wanted,
        Long.parseLong(settings.getOrDefault("warm_up", "1000")),
        new SplitMix64(Long.parseLong(settings.getOrDefault("seed", "0"))),
        Long.parseLong(settings.getOrDefault("counter", "0")));
  }

  private static List<Member> members(String cell) {
    return Rows.words(cell).stream()
        .map(Rows::member)
        .sorted(Comparator.comparing(Member::id, Instance.ID_ORDER))
        .toList();
  }
}
