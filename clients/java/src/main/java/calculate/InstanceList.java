package calculate;

import calculate.BalancingEvent.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which instances are in force, whatever the registry says: nobody is thrown away because it is
 * down, empty or blinks. Times are milliseconds on a clock that only goes forward.
 *
 * <p>Specification: {@code idl/vectors/list.tsv}.
 */
final class InstanceList {
  static final long HOLD_MILLIS = 2000;
  static final long HOLD_MASS_MILLIS = 30_000;
  static final long HOLD_RECONNECTED_MILLIS = 5000;

  private static final List<Kind> ORDER =
      List.of(
          Kind.INSTANCE_UP,
          Kind.INSTANCE_DOWN,
          Kind.LIST_EMPTY_IGNORED,
          Kind.LIST_STALE,
          Kind.LIST_FRESH);

  /**
   * What has changed.
   *
   * @param id of the instance that came or went, else ""
   */
  record Change(Kind kind, String id) {}

  /** Since when the registry lacks an instance, and how long that is not believed. */
  private record Missing(long sinceMillis, long holdMillis) {}

  private final Map<String, Instance> instances = new TreeMap<>(Instance.ID_ORDER);
  private final Map<String, Missing> missing = new TreeMap<>(Instance.ID_ORDER);
  private boolean connected;
  private boolean wasLost;
  private long connectedAtMillis;
  private boolean stale;

  /** Those in force, by id. */
  List<Instance> instances() {
    return List.copyOf(instances.values());
  }

  boolean isEmpty() {
    return instances.isEmpty();
  }

  /** A list from the disk, at a cold start: taken while there is no other. */
  List<Change> cached(Collection<Instance> found) {
    List<Change> changes = new ArrayList<>();
    if (instances.isEmpty() && !found.isEmpty()) {
      take(found, changes);
      becomeStale(changes);
    }
    return sorted(changes);
  }

  /** All that the registry names. */
  List<Change> read(long nowMillis, Collection<Instance> found) {
    List<Change> changes = new ArrayList<>();
    if (found.isEmpty()) {
      if (!instances.isEmpty()) {
        changes.add(new Change(Kind.LIST_EMPTY_IGNORED, ""));
      }
      return changes;
    }
    int before = instances.size();
    take(found, changes);
    noteMissing(nowMillis, found, before);
    if (stale) {
      stale = false;
      changes.add(new Change(Kind.LIST_FRESH, ""));
    }
    return sorted(changes);
  }

  /** The registry's session is there. */
  void connected(long nowMillis) {
    connected = true;
    connectedAtMillis = nowMillis;
  }

  /** The registry's session is not there. */
  List<Change> lost() {
    connected = false;
    wasLost = true;
    List<Change> changes = new ArrayList<>();
    becomeStale(changes);
    return changes;
  }

  /** Time has passed: removals that are due happen now. */
  List<Change> tick(long nowMillis) {
    boolean settled = !wasLost || nowMillis - connectedAtMillis >= HOLD_RECONNECTED_MILLIS;
    if (!connected || !settled) {
      return List.of();
    }
    List<String> due =
        missing.entrySet().stream()
            .filter(each -> nowMillis - each.getValue().sinceMillis >= each.getValue().holdMillis)
            .map(Map.Entry::getKey)
            .toList();
    due.forEach(missing::remove);
    due.forEach(instances::remove);
    return due.stream().map(id -> new Change(Kind.INSTANCE_DOWN, id)).toList();
  }

  /**
   * A call there failed: who is not registered any more, either, is removed. But never the last
   * one.
   */
  List<Change> failed(String id) {
    if (!connected || instances.size() == 1 || missing.remove(id) == null) {
      return List.of();
    }
    instances.remove(id);
    return List.of(new Change(Kind.INSTANCE_DOWN, id));
  }

  private void take(Collection<Instance> found, List<Change> changes) {
    for (Instance instance : found) {
      Instance before = instances.put(instance.id(), instance);
      if (before != null && !before.isWhere(instance)) {
        changes.add(new Change(Kind.INSTANCE_DOWN, instance.id()));
      }
      if (before == null || !before.isWhere(instance)) {
        changes.add(new Change(Kind.INSTANCE_UP, instance.id()));
      }
    }
  }

  private void noteMissing(long nowMillis, Collection<Instance> found, int before) {
    var named = found.stream().map(Instance::id).collect(Collectors.toSet());
    missing.keySet().removeAll(named);
    for (String id : instances.keySet()) {
      if (!named.contains(id)) {
        missing.putIfAbsent(id, new Missing(nowMillis, HOLD_MILLIS));
      }
    }
    if (2 * missing.size() > before) {
      missing.replaceAll((id, each) -> new Missing(each.sinceMillis, HOLD_MASS_MILLIS));
    }
  }

  private void becomeStale(List<Change> changes) {
    if (!stale) {
      stale = true;
      changes.add(new Change(Kind.LIST_STALE, ""));
    }
  }

  private static List<Change> sorted(List<Change> changes) {
    changes.sort(
        Comparator.<Change>comparingInt(change -> ORDER.indexOf(change.kind()))
            .thenComparing(Change::id, Instance.ID_ORDER));
    return changes;
  }
}
