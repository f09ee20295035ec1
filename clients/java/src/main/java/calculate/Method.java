package calculate;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  /** The name, by which replies come. */
  final String name;

  /** The name by which it is called: the service of a version may stand before it. */
  final String callName;

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

  /** Whose method it is; "": of a service that has no versions. */
  private final String service;

  private final Map<Integer, Method<T, R>> versions = new ConcurrentHashMap<>();

  /** A method that is not to be carried out twice. */
  Method(String name, Supplier<T> newResult, BiFunction<T, Target, R> value) {
    this(name, newResult, value, false, "");
  }

  Method(
      String name,
      Supplier<T> newResult,
      BiFunction<T, Target, R> value,
      boolean isIdempotent,
      String service) {
    this(name, name, newResult, value, isIdempotent, service);
  }

  private Method(
      String name,
      String callName,
      Supplier<T> newResult,
      BiFunction<T, Target, R> value,
      boolean isIdempotent,
      String service) {
    this.name = name;
    this.callName = callName;
    this.isOneway = newResult == null;
    this.messageType = isOneway ? TMessageType.ONEWAY : TMessageType.CALL;
    this.newResult = newResult;
    this.value = value;
    this.isIdempotent = isIdempotent;
    this.service = service;
  }

  /**
   * The method of a version of its service, which a multiplexed server has under the name
   * SERVICE.vN; 0: by its plain name.
   */
  Method<T, R> ofVersion(int version) {
    return version == 0 || service.isEmpty()
        ? this
        : versions.computeIfAbsent(
            version,
            number ->
                new Method<>(
                    name,
                    service + ".v" + number + ":" + name,
                    newResult,
                    value,
                    isIdempotent,
                    service));
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
    return new Method<>(name, newResult, value, true, service);
  }

  /**
   * The same method, which belongs to this service: an instance that hosts several versions of it
   * is asked for the one that the target asks for. Version 2 of Calculate is the service
   * Calculate.v2 of a multiplexed server.
   *
   * @param service its name in the IDL
   * @return a changed copy
   */
  public Method<T, R> ofService(String service) {
    return new Method<>(name, newResult, value, isIdempotent, service);
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
