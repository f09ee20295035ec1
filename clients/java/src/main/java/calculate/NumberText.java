package calculate;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * Numbers as a person types and reads them: as Python's {@code float} and {@code repr} have them.
 */
final class NumberText {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
  private static final Pattern SPECIAL = Pattern.compile("(?i)([+-]?)(inf|infinity|nan)");

  /** Enough to tell any two doubles apart. */
  private static final int MAX_DIGITS = 17;

  private static final int MIN_PLAIN_EXPONENT = -4;
  private static final int MAX_PLAIN_EXPONENT = 15;

  private NumberText() {}

  /** The number that the text says, rounded to a double; empty if it says none. */
  static OptionalDouble parse(String text) {
    String bare = text.strip();
    var special = SPECIAL.matcher(bare);
    if (special.matches()) {
      double value =
          special.group(2).equalsIgnoreCase("nan") ? Double.NaN : Double.POSITIVE_INFINITY;
      return OptionalDouble.of(special.group(1).equals("-") ? -value : value);
    }
    return DECIMAL.matcher(bare).matches()
        ? OptionalDouble.of(Double.parseDouble(bare))
        : OptionalDouble.empty();
  }

  /** The shortest text that says this number: 3.0, 1e+300, inf, nan. */
  static String of(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    String sign = 1 / value < 0 || value < 0 ? "-" : "";
    double size = Math.abs(value);
    if (Double.isInfinite(size)) {
      return sign + "inf";
    }
    return sign + (size == 0 ? "0.0" : shortest(size));
  }

  private static String shortest(double size) {
    BigDecimal exact = new BigDecimal(size);
    BigDecimal rounded = exact;
    for (int digits = 1; digits <= MAX_DIGITS; digits++) {
      rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (rounded.doubleValue() == size) {
        break;
      }
    }
    BigDecimal bare = rounded.stripTrailingZeros();
    int exponent = bare.precision() - bare.scale() - 1;
    return exponent < MIN_PLAIN_EXPONENT || exponent > MAX_PLAIN_EXPONENT
        ? scientific(bare.unscaledValue().toString(), exponent)
        : plain(bare);
  }

  private static String plain(BigDecimal value) {
    return (value.scale() > 0 ? value : value.setScale(1)).toPlainString();
  }

  private static String scientific(String digits, int exponent) {
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return String.format(
        Locale.ROOT,
        "%c%se%c%02d",
        digits.charAt(0),
        fraction,
        exponent < 0 ? '-' : '+',
        Math.abs(exponent));
  }
}
