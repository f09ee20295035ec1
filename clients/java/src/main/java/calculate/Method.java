package calculate;

import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.thrift.TBase;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TMessageType;

/**
 * A method of any IDL, for {@link CalculateClient#call(Method, TSerializable)}: its name on the
 * wire and its generated result struct. Immutable: make it once.
 *
 * <pre>{@code
 * static final Method<WordCount.Count_result, Map<String, Integer>> COUNT =
 *     Method.of("Count", WordCount.Count_result::new, WordCount.Count_result::getSuccess);
 * static final Method<?, Void> RESET = Method.oneway("Reset");
 * }</pre>
 *
 * @param <T> the generated result struct
 * @param <R> what the caller gets
 */
public final class Method<T extends TSerializable, R> {
  /** The outcome of a call that has no value. The caller gets null. */
  static final Object NOTHING = new Object();

  /** The name on the wire. */
  final String name;

  /** The type of its messages: CALL or ONEWAY. */
  final byte messageType;

  /** Whether nobody answers: the call is over when it was sent. */
  final boolean isOneway;

  /** Makes an empty result struct for the generated code to read into; null for a oneway method. */
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
    this.isOneway = newResult == null;
    this.messageType = isOneway ? TMessageType.ONEWAY : TMessageType.CALL;
    this.newResult = newResult;
    this.value = value;
    this.isIdempotent = isIdempotent;
  }

  /**
   * A method with a value.
   *
   * @param <T> the generated result struct
   * @param <F> its fields
   * @param <R> what the caller gets
   * @param name on the wire
   * @param newResult makes an empty result struct: {@code X_result::new}
   * @param value takes the value out of a result that has one: {@code X_result::getSuccess}
   * @return a method that is not to be carried out twice
   */
  public static <T extends TBase<T, F>, F extends TFieldIdEnum, R> Method<T, R> of(
      String name, Supplier<T> newResult, Function<T, R> value) {
    ResultFields fields = ResultFields.of(newResult.get());
    if (fields.isVoid()) {
      throw new IllegalArgumentException(
          "the result of " + name + " has no field \"success\": use Method.of(name, newResult)");
    }
    return new Method<>(
        name,
        newResult,
        (result, server) -> fields.hasValue(result, server) ? value.apply(result) : null);
  }

  /**
   * A method without a value, which is answered all the same: calls give null.
   *
   * @param <T> the generated result struct
   * @param <F> its fields
   * @param name on the wire
   * @param newResult makes an empty result struct: {@code X_result::new}
   * @return a method that is not to be carried out twice
   */
  public static <T extends TBase<T, F>, F extends TFieldIdEnum> Method<T, Void> of(
      String name, Supplier<T> newResult) {
    ResultFields fields = ResultFields.of(newResult.get());
    if (!fields.isVoid()) {
      throw new IllegalArgumentException(
          "the result of " + name + " has a value: say how to take it, X_result::getSuccess");
    }
    return ofVoid(name, newResult, fields);
  }

  /**
   * A oneway method, which nobody answers: a call is over when it was sent, and gives null.
   *
   * @param name on the wire
   * @return a method that is not to be carried out twice
   */
  public static Method<?, Void> oneway(String name) {
    return new Method<>(name, null, null);
  }

  /**
   * The same method, which may be carried out twice without harm: a client of many servers then
   * makes a call once more that may have reached a server.
   *
   * @return a changed copy
   */
  public Method<T, R> idempotent() {
    return new Method<>(name, newResult, value, true);
  }

  /** Of any R, as nothing but its caller looks at what NOTHING is. */
  @SuppressWarnings("unchecked")
  private static <T extends TBase<?, ?>, R> Method<T, R> ofVoid(
      String name, Supplier<T> newResult, ResultFields fields) {
    return new Method<>(
        name,
        newResult,
        (result, server) -> {
          fields.throwDeclared(result, server);
          return (R) NOTHING;
        });
  }
}
