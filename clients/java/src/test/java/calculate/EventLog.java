package calculate;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The events of a client. */
final class EventLog implements Consumer<BalancingEvent> {
  private final List<BalancingEvent> events = new CopyOnWriteArrayList<>();

  @Override
  public void accept(BalancingEvent event) {
    events.add(event);
  }

  long count(BalancingEvent.Kind kind) {
    return events.stream().filter(event -> event.kind() == kind).count();
  }

  boolean has(BalancingEvent.Kind kind, String instance) {
    return events.stream()
        .anyMatch(event -> event.kind() == kind && event.instance().equals(instance));
  }

  @Override
  public String toString() {
    return events.toString();
  }
}
