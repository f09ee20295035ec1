package interop;

import calculate.CalculateClient;
import calculate.DeclaredError;
import calculate.Method;
import calculate.Options;
import java.lang.reflect.Constructor;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.apache.thrift.TBase;
import org.apache.thrift.TFieldIdEnum;

/**
 * Any generated interface on {@link CalculateClient#call}: the {@link Method}s that a program would
 * write down are found here by reflection.
 */
final class AnyService implements AutoCloseable {
  private final CalculateClient client;

  /** Connects. */
  AnyService(String target, Options options) {
    client = CalculateClient.connect(target, options);
  }

  /** The methods of {@code iface}, a generated {@code Iface}. */
  <I> I as(Class<I> iface) {
    return iface.cast(
        Proxy.newProxyInstance(
            iface.getClassLoader(),
            new Class<?>[] {iface},
            (proxy, method, arguments) -> call(method, arguments)));
  }

  @Override
  public void close() {
    client.close();
  }

  private Object call(java.lang.reflect.Method method, Object[] arguments) throws Exception {
    // The Iface is nested in the service that declares the method, beside the method's structs.
    String prefix = method.getDeclaringClass().getEnclosingClass().getName() + "$" + method.getName();
    TBase<?, ?> args = (TBase<?, ?>) arguments(Class.forName(prefix + "_args"), arguments);
    try {
      return client.call(describe(method.getName(), prefix + "_result"), args);
    } catch (DeclaredError declared) {
      throw declared.exception();
    }
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static Method<?, ?> describe(String name, String resultClass) {
    Class<?> result;
    try {
      result = Class.forName(resultClass);
    } catch (ClassNotFoundException e) {
      return Method.oneway(name);
    }
    Supplier newResult = () -> make(result);
    TFieldIdEnum success = ((TBase) make(result)).fieldForId(0);
    if (success == null) {
      return Method.of(name, newResult);
    }
    return Method.of(name, newResult, value -> value(((TBase) value).getFieldValue(success)));
  }

  private static Object arguments(Class<?> struct, Object[] arguments) throws Exception {
    for (Constructor<?> constructor : struct.getConstructors()) {
      boolean copies = constructor.getParameterTypes().length == 1
          && constructor.getParameterTypes()[0] == struct;
      if (constructor.getParameterCount() == (arguments == null ? 0 : arguments.length) && !copies) {
        return constructor.newInstance(arguments);
      }
    }
    throw new IllegalArgumentException("no constructor of " + struct);
  }

  private static Object make(Class<?> struct) {
    try {
      return struct.getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The generated getter of a binary gives the bytes, its Iface their buffer. */
  private static Object value(Object value) {
    return value instanceof byte[] bytes ? ByteBuffer.wrap(bytes) : value;
  }
}
