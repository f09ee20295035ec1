package calculate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last list of a registry, on disk, for a start without the registry. What is wrong with the
 * file is logged, and no reason to fail.
 */
final class CacheFile {
  private static final Logger LOG = LoggerFactory.getLogger(CacheFile.class);
  private static final long MAX_BYTES = 16 << 20;

  private final Path path;
  private final String target;

  /** The cache of a target in this file. */
  CacheFile(Path path, String target) {
    this.path = path;
    this.target = target;
  }

  /** Where the cache of a target is when nobody says otherwise. */
  static Path defaultPath(String target) {
    String named = System.getenv("XDG_CACHE_HOME");
    Path folder =
        named == null || named.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(named);
    return folder.resolve("calculate").resolve(sha256(target) + ".json");
  }

  /** The instances in the file; none if there is no file, or nothing in it for this target. */
  List<Instance> read() {
    try {
      if (Files.size(path) > MAX_BYTES) {
        return ignored("it has more than " + MAX_BYTES + " bytes");
      }
      JsonNode file = InstanceNode.JSON.readTree(Files.readString(path));
      if (!target.equals(file.path("target").asText())) {
        return ignored("it is of another target");
      }
      List<Instance> found = new ArrayList<>();
      for (JsonNode each : file.path("instances")) {
        found.add(InstanceNode.read(id(each), each));
      }
      return found;
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (JsonProcessingException e) {
      return ignored(e.getOriginalMessage());
    } catch (IOException | InstanceNode.Skipped e) {
      return ignored(String.valueOf(e.getMessage()));
    }
  }

  /** Replaces the file. */
  void write(List<Instance> instances, long unixMillis) {
    var file = InstanceNode.JSON.createObjectNode();
    file.put("target", target).put("written", unixMillis);
    var array = file.putArray("instances");
    instances.forEach(instance -> array.add(InstanceNode.write(instance)));
    try {
      Files.createDirectories(path.toAbsolutePath().getParent());
      replace(InstanceNode.JSON.writeValueAsBytes(file));
    } catch (IOException e) {
      LOG.warn("the list of instances cannot be kept in {}: {}", path, e.toString());
    }
  }

  private void replace(byte[] content) throws IOException {
    // Made for its owner alone (mode 0600).
    Path next = Files.createTempFile(path.toAbsolutePath().getParent(), "list", ".tmp");
    try {
      Files.write(next, content);
      Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(next);
    }
  }

  private static String id(JsonNode each) throws InstanceNode.Skipped {
    if (!each.path("id").isTextual()) {
      throw new InstanceNode.Skipped("has an instance without id");
    }
    return each.path("id").textValue();
  }

  private List<Instance> ignored(String why) {
    LOG.warn("the list of instances in {} is ignored: {}", path, OneLine.of(why));
    return List.of();
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
