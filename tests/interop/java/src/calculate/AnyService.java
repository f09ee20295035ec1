package calculate;

import java.lang.reflect.Constructor;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.thrift.TBase;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.meta_data.FieldMetaData;

/**
 * Any generated interface on the client's generic layer. It stands in this package because that
 * layer has no public door yet: what {@link CalculateClient} does by hand for Calculate's methods
 * is done here by reflection.
 */
public final class AnyService implements AutoCloseable {
  private final ThriftClient client;

  /** Connects. */
  public AnyService(String target, Options options) {
    client = new ThriftClient(Target.parse(target), options);
  }

  /** The methods of {@code iface}, a generated {@code Iface}. */
  public <I> I as(Class<I> iface) {
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

  @SuppressWarnings("rawtypes")
  private Object call(java.lang.reflect.Method method, Object[] arguments) throws Exception {
    // The Iface is nested in the service that declares the method, beside the method's structs.
    String prefix = method.getDeclaringClass().getEnclosingClass().getName() + "$" + method.getName();
    TBase args = (TBase) arguments(Class.forName(prefix + "_args"), arguments);
    Class<?> result;
    try {
      result = Class.forName(prefix + "_result");
    } catch (ClassNotFoundException e) {
      throw new UnsupportedOperationException("this client's generic layer has no oneway calls", e);
    }
    Method<TBase, Object> described =
        new Method<>(method.getName(), () -> (TBase) make(result), (value, server) -> value(value));
    try {
      Object value = client.call(described, args, client.timeout(), null);
      return value == NOTHING ? null : value;
    } catch (Declared declared) {
      throw declared.exception;
    }
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

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static Object value(TBase result) {
    Map<? extends TFieldIdEnum, FieldMetaData> fields =
        FieldMetaData.getStructMetaDataMap(result.getClass());
    boolean isVoid = true;
    for (TFieldIdEnum field : fields.keySet()) {
      boolean success = field.getFieldName().equals("success");
      isVoid &= !success;
      if (result.isSet(field)) {
        Object value = result.getFieldValue(field);
        if (success) {
          // The generated getter of a binary gives the bytes, its Iface their buffer.
          return value instanceof byte[] bytes ? ByteBuffer.wrap(bytes) : value;
        }
        throw new Declared((Exception) value);
      }
    }
    return isVoid ? NOTHING : null;
  }

  private static final Object NOTHING = new Object();

  /** Carries what the IDL declares. */
  private static final class Declared extends CalculateError {
    private static final long serialVersionUID = 1L;
    private final transient Exception exception;

    Declared(Exception exception) {
      super(exception.toString(), exception);
      this.exception = exception;
    }
  }
}
