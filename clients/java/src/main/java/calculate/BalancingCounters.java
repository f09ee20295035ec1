package calculate;

/**
 * How often what has happened since the client was made.
 *
 * @param calls that were made
 * @param failures calls that ended with an error that was not the server's answer
 * @param retries calls made once more, each time
 * @param retriesDenied retries and hedges for which the budget had no token
 * @param hedges second copies that were sent because the first took long
 * @param ejections of instances that failed
 * @param instances how many there are in the list now
 * @param connects connections that were made
 */
public record BalancingCounters(
    long calls,
    long failures,
    long retries,
    long retriesDenied,
    long hedges,
    long ejections,
    long instances,
    long connects) {}
