package calculate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.thrift.TBase;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.meta_data.FieldMetaData;

/**
 * The fields of a generated result struct: the value, unless the method is void, and the declared
 * exceptions, of which at most one is set.
 *
 * @param success null if the method is void
 */
record ResultFields(TFieldIdEnum success, List<TFieldIdEnum> exceptions) {
  /** Those of the result's class. */
  @SuppressWarnings({"rawtypes", "unchecked"})
  static ResultFields of(TBase result) {
    Map<? extends TFieldIdEnum, FieldMetaData> fields =
        FieldMetaData.getStructMetaDataMap(result.getClass());
    TFieldIdEnum success = null;
    List<TFieldIdEnum> exceptions = new ArrayList<>();
    for (TFieldIdEnum field : fields.keySet()) {
      if (field.getThriftFieldId() == 0) {
        success = field;
      } else {
        exceptions.add(field);
      }
    }
    return new ResultFields(success, exceptions);
  }

  boolean isVoid() {
    return success == null;
  }

  /**
   * Whether the value is set.
   *
   * @throws DeclaredError if an exception is, instead
   */
  boolean hasValue(TBase<?, ?> result, Target server) {
    if (isSet(result, success)) {
      return true;
    }
    throwDeclared(result, server);
    return false;
  }

  /** Throws the exception that is set, if one is. */
  void throwDeclared(TBase<?, ?> result, Target server) {
    for (TFieldIdEnum field : exceptions) {
      if (isSet(result, field)) {
        throw Errors.declared(server, (Exception) value(result, field));
      }
    }
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static boolean isSet(TBase result, TFieldIdEnum field) {
    return result.isSet(field);
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static Object value(TBase result, TFieldIdEnum field) {
    return result.getFieldValue(field);
  }
}
