package interop;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Goes through the vectors with Apache's Java library or with this project's client. */
final class Main {
  private static final int LONGEST_REASON = 300;

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    Caller caller;
    try {
      caller =
          options.get("--runtime").equals("calculate")
              ? new CalculateCaller(options)
              : new ApacheCaller(options);
    } catch (UnsupportedOperationException e) {
      System.err.println(e.getMessage());
      System.exit(3);
      return;
    }
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line : Files.readAllLines(Path.of(options.get("--vectors")))) {
      if (!line.startsWith("#")) {
        run(caller, List.of(line.split("\t")), out);
      }
    }
    System.exit(0);
  }

  private static void run(Caller caller, List<String> row, PrintStream out) throws Exception {
    String name = row.get(0) + "/" + row.get(1);
    try {
      new Cases(caller).run(row.get(0), row.get(1), row.get(2), row.get(3));
      out.println(name + "\tpass");
    } catch (Exception | AssertionError e) {
      String reason = e.toString().replaceAll("\\s+", " ");
      String shown = reason.substring(0, Math.min(reason.length(), LONGEST_REASON));
      out.println(name + "\tFAIL\t" + shown);
      e.printStackTrace();
      caller.reconnect();
    }
  }
}
