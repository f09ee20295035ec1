package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How texts of others are shown: idl/vectors/one_line.tsv. */
class OneLineTest {
  private static final Pattern ESCAPE = Pattern.compile("\\\\u\\{([0-9a-f]+)}");

  static Stream<Rows.Row> rows() throws IOException {
    return Rows.of("one_line.tsv");
  }

  @ParameterizedTest
  @MethodSource("rows")
  void a_line_is_as_the_vectors_say(Rows.Row row) {
    assertEquals(row.cell(1), OneLine.of(unescaped(row.cell(0))));
  }

  private static String unescaped(String text) {
    return ESCAPE
        .matcher(text)
        .replaceAll(
            match ->
                Matcher.quoteReplacement(Character.toString(Integer.parseInt(match.group(1), 16))));
  }
}
