package calculate;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/** Events on their way to who wants to know of them: noted under a lock, told outside of it. */
final class Events {
  private final Consumer<BalancingEvent> listener;
  private final Queue<BalancingEvent> noted = new ConcurrentLinkedQueue<>();

  Events(Consumer<BalancingEvent> listener) {
    this.listener = listener;
  }

  void note(BalancingEvent.Kind kind, String instance, String text) {
    noted.add(new BalancingEvent(kind, instance, text));
  }

  /** Tells what was noted. Not under a lock: the listener is somebody else's code. */
  void tell() {
    BalancingEvent event;
    while ((event = noted.poll()) != null) {
      try {
        listener.accept(event);
      } catch (RuntimeException e) {
        // What a listener does is no reason for a call to fail.
      }
    }
  }
}
