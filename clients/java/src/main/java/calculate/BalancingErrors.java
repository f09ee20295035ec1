package calculate;

/** The words of the errors of a client of many instances. */
final class BalancingErrors {
  private BalancingErrors() {}

  static ConnectError noInstance(String service, int known) {
    String why =
        known == 0
            ? "none is there"
            : "of the "
                + known
                + " that are there none is enabled and has the version, group and port wanted";
    return new ConnectError(
        "no instance of "
            + service
            + " to call: "
            + why
            + "; does a server run, and is it registered?",
        null);
  }

  static ConnectError unreachable(String service, String when, String why) {
    return new ConnectError(
        "no list of the instances of "
            + service
            + " "
            + when
            + (why.isEmpty() ? "" : " (" + why + ")")
            + ": is the address right, and can it be reached?",
        null);
  }

  static DeadlineExceeded connectTimedOut(String service, Deadline deadline) {
    return new DeadlineExceeded(
        "no connection to an instance of "
            + service
            + " within "
            + deadline.timeout()
            + ": the list came too late; allow more time",
        null);
  }

  static ConnectionClosed clientClosed(String service) {
    return new ConnectionClosed("this client of " + service + " is closed: make a new one", null);
  }

  static CalculateError interrupted(String service, String method) {
    return new CalculateError(
        "interrupted while " + method + " waited for " + service + ": the call was abandoned",
        new InterruptedException());
  }
}
