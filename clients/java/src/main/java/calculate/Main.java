package calculate;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * The program: one or more numbers in, one result a line out. Its exit codes are 0, 1 when a call
 * failed (one line on stderr says why), 2 when it was used wrongly.
 */
@Command(
    name = "calculate-client",
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Prints the square ROOT of each number, computed by a Calculate server (with --method cal, its square).",
      "Without numbers it asks for them, until something that is not a number is typed."
    })
public final class Main implements Callable<Integer> {
  private static final String PROGRAM = "calculate-client";
  private static final String PROMPT = "number: ";
  private static final int FAILED = 1;

  /** What is computed. */
  enum Function {
    square,
    cal
  }

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "NUMBER", description = "such as 9, -4, 1e300, inf or nan")
  private List<String> numbers = List.of();

  @Option(
      names = "--server",
      paramLabel = "HOST:PORT",
      description = {
        "or unix:/path, HOST:PORT,HOST:PORT, dns://NAME:PORT or",
        "zk://HOST:PORT/BASE/SERVICE[?version=1-2&group=G&zone=Z]; default: ${DEFAULT-VALUE}"
      })
  private String server = "127.0.0.1:9090";

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = SecondsConverter.class,
      description = "of each call, connecting included; default: 5")
  private Duration timeout = Options.defaults().timeout();

  @Option(
      names = "--method",
      paramLabel = "square|cal",
      description = "square: the square ROOT (the default); cal: the square, number times number")
  private Function method = Function.square;

  @Option(names = "--protocol", paramLabel = "binary|compact", description = "default: binary")
  private Protocol protocol = Protocol.BINARY;

  @Option(names = "--framing", paramLabel = "framed|unframed", description = "default: framed")
  private Framing framing = Framing.FRAMED;

  @ArgGroup(validate = false, heading = "Several servers:%n")
  private BalancingArguments balancing = new BalancingArguments();

  @ArgGroup(
      validate = false,
      heading = "ZooKeeper; each also an environment variable, such as CALCULATE_ZK_AUTH:%n")
  private ZooKeeperArguments zooKeeper = new ZooKeeperArguments();

  @ArgGroup(validate = false, heading = "TLS; any of these means it, and a right certificate:%n")
  private TlsArguments tls = new TlsArguments();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "print this and exit")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "print the version and exit")
  private boolean version;

  private Main() {}

  /**
   * Runs the program and exits.
   *
   * @param args as {@code --help} tells
   */
  public static void main(String[] args) {
    CommandLine program = new CommandLine(new Main());
    program.setCaseInsensitiveEnumValuesAllowed(true);
    // "-4" and "-inf" are numbers; what is neither an option nor a number is told so by the
    // converter.
    program.setUnmatchedOptionsArePositionalParams(true);
    program.setParameterExceptionHandler((error, arguments) -> misused(error));
    System.exit(program.execute(args));
  }

  @Override
  public Integer call() throws IOException {
    List<Double> given = numbers.stream().map(this::number).toList();
    try (CalculateClient client = CalculateClient.connect(server, options())) {
      if (numbers.isEmpty()) {
        converse(client);
      } else {
        given.forEach(number -> print(client, number));
      }
      return CommandLine.ExitCode.OK;
    } catch (IllegalArgumentException e) {
      throw misuse(e.getMessage(), e);
    } catch (CalculateError e) {
      complain(e);
      return FAILED;
    }
  }

  private Options options() {
    Options options =
        Options.defaults()
            .withTimeout(timeout)
            .withProtocol(protocol)
            .withFraming(framing)
            .withBalancing(zooKeeper.read(balancing.read()));
    return tls.read().map(options::withTls).orElse(options);
  }

  /** Asks for numbers until something else is typed. A DomainError is told and does not end it. */
  private void converse(CalculateClient client) throws IOException {
    boolean asks = System.console() != null;
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    while (true) {
      if (asks) {
        out().print(PROMPT);
        out().flush();
      }
      String line = in.readLine();
      OptionalDouble number = line == null ? OptionalDouble.empty() : NumberText.parse(line);
      if (number.isEmpty()) {
        return;
      }
      try {
        print(client, number.getAsDouble());
      } catch (DomainError e) {
        complain(e);
      }
    }
  }

  private double number(String text) {
    return NumberText.parse(text).orElseThrow(() -> misuse("'" + text + "' is not a number", null));
  }

  private ParameterException misuse(String what, Exception cause) {
    return new ParameterException(spec.commandLine(), what, cause);
  }

  private void print(CalculateClient client, double number) {
    CallOptions options = balancing.call();
    double result =
        method == Function.square ? client.square(number, options) : client.cal(number, options);
    out().println(NumberText.of(result));
    out().flush();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private void complain(CalculateError error) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(PROGRAM + ": " + error.getMessage());
    err.flush();
  }

  private static int misused(ParameterException error) {
    PrintWriter err = error.getCommandLine().getErr();
    err.println(PROGRAM + ": " + OneLine.of(error.getMessage()) + "; see --help");
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  /** Reads SECONDS. */
  static final class SecondsConverter implements ITypeConverter<Duration> {
    private static final double NANOS_PER_SECOND = 1e9;

    @Override
    public Duration convert(String text) {
      double seconds = NumberText.parse(text).orElse(Double.NaN);
      try {
        // A NaN or a negative number becomes 0 or less, which is refused here too.
        return Options.checked(Duration.ofNanos((long) (seconds * NANOS_PER_SECOND)));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException("'" + text + "' is not a time in seconds, such as 0.25");
      }
    }
  }

  /** Tells the version that the jar was built as. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {PROGRAM + " " + (version == null ? "(not packaged)" : version)};
    }
  }
}
