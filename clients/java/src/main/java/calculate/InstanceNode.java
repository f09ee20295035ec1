package calculate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * What an instance's node in the registry says: the JSON of Curator's x-discovery, read as a tree,
 * so that nothing in it names a class to be made. Anybody may have written it.
 */
final class InstanceNode {
  /** A node may be so long. */
  static final int MAX_BYTES = 65_536;

  private static final int MAX_PORT = 65_535;
  private static final int MAX_TEXT = 255;
  private static final int MAX_VERSIONS = 10_000;
  private static final int MAX_DEPTH = 100;

  /** Reads trees, strictly; binds no types. */
  static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private InstanceNode() {}

  /** A node that does not describe an instance: which field is wrong, and what is wrong with it. */
  static final class Skipped extends Exception {
    private static final long serialVersionUID = 1L;

    Skipped(String what) {
      super(what);
    }
  }

  /**
   * The instance that the node describes.
   *
   * @param id the node's name
   * @throws Skipped if it does not describe one
   */
  static Instance read(String id, byte[] content) throws Skipped {
    if (content.length > MAX_BYTES) {
      throw new Skipped("has " + content.length + " bytes, and at most " + MAX_BYTES + " are read");
    }
    return read(id, tree(decoded(content)));
  }

  /** The instance that an object describes. */
  static Instance read(String id, JsonNode node) throws Skipped {
    if (!node.isObject()) {
      throw new Skipped("is json, but no object");
    }
    String address = text(node, "address", "", MAX_TEXT);
    if (address.isEmpty() || address.codePoints().anyMatch(InstanceNode::isNoneOfAnAddress)) {
      throw new Skipped("has no address that can be one");
    }
    int port = (int) whole(node, "port", 1, MAX_PORT);
    int sslPort = (int) whole(node, "sslPort", 1, MAX_PORT);
    if (port == 0 && sslPort == 0) {
      throw new Skipped("has neither port nor sslPort");
    }
    JsonNode payload = payload(node);
    return new Instance(
        id,
        address,
        port,
        sslPort,
        versions(payload),
        text(payload, "group", Instance.DEFAULT_GROUP, MAX_TEXT),
        weight(payload),
        text(payload, "zone", "", MAX_TEXT),
        enabled(node),
        whole(node, "registrationTimeUTC", 0, Long.MAX_VALUE));
  }

  private static String decoded(byte[] content) throws Skipped {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw new Skipped("is not UTF-8");
    }
  }

  private static JsonNode tree(String text) throws Skipped {
    try {
      JsonNode node = JSON.readTree(text);
      if (node.isMissingNode()) {
        throw new Skipped("is no json: it is empty");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new Skipped("is no json: " + OneLine.of(e.getOriginalMessage()));
    }
  }

  private static JsonNode payload(JsonNode node) throws Skipped {
    JsonNode payload = node.path("payload");
    if (payload.isNull() || payload.isMissingNode()) {
      return JSON.createObjectNode();
    }
    if (!payload.isObject()) {
      throw new Skipped("has a payload that is no object");
    }
    return payload;
  }

  private static boolean enabled(JsonNode node) throws Skipped {
    JsonNode value = node.path("enabled");
    if (value.isNull() || value.isMissingNode()) {
      return true;
    }
    if (!value.isBoolean()) {
      throw new Skipped("has an enabled that is neither true nor false");
    }
    return value.booleanValue();
  }

  private static int weight(JsonNode payload) throws Skipped {
    String text =
        text(payload, "weight", Integer.toString(Instance.DEFAULT_WEIGHT), Integer.MAX_VALUE);
    if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > Instance.MAX_WEIGHT) {
      throw new Skipped("has a weight that is no text of a number from 0 to 10000");
    }
    return Integer.parseInt(text);
  }

  private static List<Integer> versions(JsonNode payload) throws Skipped {
    String text = text(payload, "version", null, MAX_VERSIONS);
    if (text == null) {
      return List.of();
    }
    List<String> versions = List.of(text.split(",", -1));
    if (!versions.stream().allMatch(version -> version.matches("[0-9]{1,9}"))) {
      throw new Skipped("has a version that is no text of whole numbers, such as 1,2");
    }
    return versions.stream().map(Integer::valueOf).toList();
  }

  /** A whole number, 0 if the field is missing. */
  private static long whole(JsonNode node, String name, long low, long high) throws Skipped {
    JsonNode value = node.path(name);
    if (value.isNull() || value.isMissingNode()) {
      return 0;
    }
    boolean valid =
        value.isIntegralNumber()
            && value.canConvertToLong()
            && value.longValue() >= low
            && value.longValue() <= high;
    if (!valid) {
      throw new Skipped("has a " + name + " that is no whole number from " + low + " to " + high);
    }
    return value.longValue();
  }

  private static String text(JsonNode node, String name, String ifMissing, int maxChars)
      throws Skipped {
    JsonNode value = node.path(name);
    if (value.isNull() || value.isMissingNode()) {
      return ifMissing;
    }
    if (!value.isTextual()) {
      throw new Skipped("has a " + name + " that is no text");
    }
    String text = value.textValue();
    if (text.codePointCount(0, text.length()) > maxChars) {
      throw new Skipped("has a " + name + " of more than " + maxChars + " characters");
    }
    if (text.codePoints().anyMatch(InstanceNode::isNoneOfAText)) {
      throw new Skipped("has a " + name + " with characters that are none of a text's");
    }
    return text;
  }

  private static boolean isNoneOfAText(int character) {
    return Character.isISOControl(character) || isSurrogate(character);
  }

  private static boolean isSurrogate(int character) {
    return character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE;
  }

  private static boolean isNoneOfAnAddress(int character) {
    return Character.isSpaceChar(character)
        || Character.isWhitespace(character)
        || "/@[]".indexOf(character) >= 0;
  }

  /** The instance as a node's object, which {@link #read} reads. */
  static JsonNode write(Instance instance) {
    var node = JSON.createObjectNode();
    node.put("id", instance.id()).put("address", instance.address());
    Stream.of("port", "sslPort").forEach(node::putNull);
    if (instance.port() > 0) {
      node.put("port", instance.port());
    }
    if (instance.sslPort() > 0) {
      node.put("sslPort", instance.sslPort());
    }
    var payload = node.putObject("payload");
    if (!instance.versions().isEmpty()) {
      payload.put(
          "version", String.join(",", instance.versions().stream().map(String::valueOf).toList()));
    }
    payload.put("group", instance.group()).put("weight", Integer.toString(instance.weight()));
    payload.put("zone", instance.zone());
    node.put("registrationTimeUTC", instance.registeredMillis());
    node.put("enabled", instance.enabled());
    return node;
  }
}
