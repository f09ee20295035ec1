package calculate;

/** A. */
public final class Main {
  private Main() {}

  /**
   * B.
   *
   * @param args c
   */
  public static void main(String[] args) {
    System.out.println(new calculate.idl.Number(3));
  }
}
