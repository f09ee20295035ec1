/**
 * A client of the Calculate service (Apache Thrift): {@link calculate.CalculateClient}. {@code
 * Square} is the square ROOT, {@code Cal} the square.
 */
package calculate;
