package calculate;

import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.thrift.TSerializable;

/**
 * What the generic part needs to know of a method of the IDL.
 *
 * @param <T> the generated result struct
 * @param <R> what the caller gets
 */
final class Method<T extends TSerializable, R> {
  /** The name on the wire. */
  final String name;

  /** Makes an empty result struct for the generated code to read into. */
  final Supplier<T> newResult;

  /** The value in a result; null if it has none; throws the CalculateError that a declared exception stands for. */
  final Function<T, R> value;

  Method(String name, Supplier<T> newResult, Function<T, R> value) {
    this.name = name;
    this.newResult = newResult;
    this.value = value;
  }
}
