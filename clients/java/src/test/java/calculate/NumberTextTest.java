package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers are read and written as Python does. */
class NumberTextTest {
  @ParameterizedTest
  @CsvSource({
    "9, 9.0",
    "0.1, 0.1",
    "1e16, 1e+16",
    "9999999999999998, 9999999999999998.0",
    "0.0001, 0.0001",
    "0.00001, 1e-05",
    "1.5e-9, 1.5e-09",
    "1e300, 1e+300",
    "1.7976931348623157e308, 1.7976931348623157e+308",
    "5e-324, 5e-324",
    "2e-323, 2e-323",
    "2e23, 2e+23",
    "123456.789, 123456.789",
    "-0.0, -0.0",
    "-4, -4.0",
    ".5, 0.5",
    "1e400, inf",
    "-inf, -inf",
    "Infinity, inf",
    "NaN, nan",
    "-nan, nan"
  })
  void a_number_is_printed_as_its_repr(String typed, String printed) {
    assertEquals(printed, NumberText.of(NumberText.parse(typed).orElseThrow()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "x", "9d", "9f", "0x10", "1e", "--4", "+-4", "1 2", "in", "infinit", "٣", "."
      })
  void what_is_no_number_is_none(String typed) {
    assertTrue(NumberText.parse(typed).isEmpty());
  }

  @Test
  void the_text_says_the_same_number() {
    var random = new java.util.Random(1);
    for (int i = 0; i < 2000; i++) {
      double value = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(value)) {
        assertEquals(value, NumberText.parse(NumberText.of(value)).orElseThrow());
      }
    }
  }
}
