package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who is ejected and returns: idl/vectors/health.tsv. */
class HealthVectorsTest {
  static Stream<List<Rows.Row>> scenarios() throws Exception {
    return Rows.scenarios("health.tsv").values().stream();
  }

  @ParameterizedTest
  @MethodSource
  void scenarios(List<Rows.Row> rows) {
    Map<String, Member> members = new TreeMap<>();
    List<String> begin = Rows.words(rows.get(0).cell(3));
    begin.stream().skip(1).forEach(id -> members.put(id, Rows.member(id)));
    Health health = new Health(new SplitMix64(Long.parseLong(begin.get(0).substring(5))));
    for (Rows.Row row : rows.subList(1, rows.size())) {
      long now = Long.parseLong(row.cell(1));
      Member member = members.get(row.cell(3));
      String told =
          switch (row.cell(2)) {
            case "fail" -> told(health.fail(member, now, members.values()));
            case "probe_failed" -> told(health.probeFailed(member, now));
            case "probe_well" -> returned(member);
            default -> look(members, now);
          };
      assertEquals(row.cell(4), told, row::toString);
    }
  }

  private static String told(long answer) {
    return answer == Health.STAYS
        ? "stays"
        : answer == Health.SPARED ? "spared" : "ejected " + answer;
  }

  private static String returned(Member member) {
    Health.probeWell(member);
    return "returned";
  }

  private static String look(Map<String, Member> members, long now) {
    return "in="
        + ids(members, member -> !Health.isOut(member))
        + " out="
        + ids(members, Health::isOut)
        + " due="
        + ids(members, member -> Health.isDue(member, now));
  }

  private static String ids(Map<String, Member> members, Predicate<Member> condition) {
    String ids =
        members.values().stream()
            .filter(condition)
            .map(Member::id)
            .collect(Collectors.joining(","));
    return ids.isEmpty() ? "-" : ids;
  }
}
