package calculate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The rows of a file of vectors, and what their cells are made of. */
final class Rows {
  private static final Path VECTORS = Path.of("..", "..", "idl", "vectors");

  private Rows() {}

  /** One line's cells. */
  record Row(List<String> cells) {
    String cell(int column) {
      return cells.get(column);
    }

    @Override
    public String toString() {
      return String.join(" ", cells.subList(0, Math.min(2, cells.size())));
    }
  }

  static Stream<Row> of(String file) throws IOException {
    return Files.readString(VECTORS.resolve(file))
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> new Row(List.of(line.split("\t", -1))));
  }

  static Stream<Row> of(String file, String kind) throws IOException {
    return of(file).filter(row -> row.cell(1).equals(kind));
  }

  /** The rows of each scenario, which is named in the first column. */
  static Map<String, List<Row>> scenarios(String file) throws IOException {
    return of(file)
        .collect(
            Collectors.groupingBy(row -> row.cell(0), LinkedHashMap::new, Collectors.toList()));
  }

  static List<String> words(String cell) {
    return cell.equals("-") ? List.of() : List.of(cell.split(" "));
  }

  /** Pairs key=value. */
  static Map<String, String> pairs(String cell, String separator) {
    return Arrays.stream(cell.split(separator))
        .filter(each -> each.indexOf('=') >= 0)
        .map(each -> each.split("=", 2))
        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
  }

  /** A member as a cell describes it: ID;key=value;key=value… at the moment 0. */
  static Member member(String cell) {
    String[] parts = cell.split(";", 2);
    Map<String, String> fields = parts.length < 2 ? Map.of() : pairs(parts[1], ";");
    String version = fields.getOrDefault("version", "any");
    Instance instance =
        new Instance(
            parts[0],
            "address",
            1,
            0,
            version.equals("any")
                ? List.of()
                : Arrays.stream(version.split(",")).map(Integer::valueOf).toList(),
            fields.getOrDefault("group", "default"),
            Integer.parseInt(fields.getOrDefault("weight", "100")),
            fields.getOrDefault("zone", ""),
            !"no".equals(fields.get("enabled")),
            0);
    String age = fields.get("age");
    Member member = new Member(instance, age == null ? Member.NEVER : -Long.parseLong(age));
    member.inFlight.set(Integer.parseInt(fields.getOrDefault("in_flight", "0")));
    member.latency.sample(0, Double.parseDouble(fields.getOrDefault("latency", "0")));
    if ("yes".equals(fields.get("avoided"))) {
      member.avoid(0);
    }
    if ("yes".equals(fields.get("ejected"))) {
      new Health(() -> 0).probeFailed(member, 0);
    }
    return member;
  }
}
