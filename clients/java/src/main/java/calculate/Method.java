package calculate;

import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.thrift.TSerializable;

/**
 * What the generic part needs to know of a method of the IDL.
 *
 * @param <T> the generated result struct
 * @param <R> what the caller gets; for a method without a result something that is not null
 */
final class Method<T extends TSerializable, R> {
  /** The name on the wire. */
  final String name;

  /** Makes an empty result struct for the generated code to read into. */
  final Supplier<T> newResult;

  /**
   * The value in a result of the given server: null if it has neither a value nor a declared
   * exception; throws the CalculateError that a declared exception stands for.
   */
  final BiFunction<T, Target, R> value;

  /** Whether it may be carried out twice without harm. */
  final boolean isIdempotent;

  /** A method that is not to be carried out twice. */
  Method(String name, Supplier<T> newResult, BiFunction<T, Target, R> value) {
    this(name, newResult, value, false);
  }

  Method(String name, Supplier<T> newResult, BiFunction<T, Target, R> value, boolean isIdempotent) {
    this.name = name;
    this.newResult = newResult;
    this.value = value;
    this.isIdempotent = isIdempotent;
  }
}
