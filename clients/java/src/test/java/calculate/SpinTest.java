package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How often a caller spins before it sleeps. */
class SpinTest {
  private final Spin spin = new Spin();

  @Test
  void asLongAsRepliesComeInTimeItSpinsEachTime() {
    for (int call = 0; call < 10; call++) {
      assertTrue(spin.isDue());
      spin.succeeded();
    }
  }

  @Test
  void inVainItSpinsMoreAndMoreSeldomAndAtTheEndOnceInAThousandTimes() {
    assertEquals(List.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024), leftOut(12));
  }

  @Test
  void whatCameInTimeOnceIsTriedEachTimeAgain() {
    leftOut(12);
    assertTrue(spin.isDue());
    spin.succeeded();
    assertTrue(spin.isDue());
    assertEquals(List.of(1, 2), leftOut(2));
  }

  /** How many waits go by without spinning after each that spins in vain. */
  private List<Integer> leftOut(int failures) {
    List<Integer> counts = new ArrayList<>();
    spin.failed();
    int count = 0;
    while (counts.size() < failures) {
      if (!spin.isDue()) {
        count++;
      } else {
        counts.add(count);
        count = 0;
        if (counts.size() < failures) {
          spin.failed();
        }
      }
    }
    return counts;
  }
}
