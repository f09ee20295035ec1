package calculate;

import java.util.function.Consumer;

/**
 * The calls of a connection that wait for their replies, or to be sent if they are oneway, and the
 * ids of the abandoned ones, by sequence id.
 *
 * <p>A ring: an id's slot is its low bits, and an id whose slot is taken is not given out. So ids
 * are unique among those in use, and finding one takes no search. Used under the connection's lock.
 */
final class PendingCalls {
  private static final int INITIAL_SLOTS = 64;

  /**
   * The id in the slot, 0 if the slot is free; less than 0 for a oneway call's, whom no reply is
   * for.
   */
  private int[] ids = new int[INITIAL_SLOTS];

  /** The call in the slot; null if the slot is free or its call was abandoned. */
  private Call<?, ?>[] calls = new Call<?, ?>[INITIAL_SLOTS];

  private int live;

  /** How many of the live ones are asynchronous. */
  private int asynchronous;

  private int abandoned;
  private int nextId;

  PendingCalls(int firstId) {
    nextId = firstId;
  }

  int live() {
    return live;
  }

  boolean hasAsynchronous() {
    return asynchronous > 0;
  }

  int abandoned() {
    return abandoned;
  }

  /** Takes a call in, and gives it the next free id: positive, wrapping. */
  void add(Call<?, ?> call) {
    if ((live + abandoned + 1) * 2 > ids.length) {
      grow();
    }
    int id = nextId;
    while (ids[slot(id)] != 0) {
      id = after(id);
    }
    nextId = after(id);
    ids[slot(id)] = call.method.isOneway ? -id : id;
    calls[slot(id)] = call;
    call.id = id;
    count(call, 1);
  }

  /** Whether a reply with this id may come, to a call that waits or to an abandoned one. */
  boolean knows(int id) {
    return id > 0 && ids[slot(id)] == id;
  }

  /** Ends the use of an id: its call, or null if that was abandoned. */
  Call<?, ?> remove(int id) {
    Call<?, ?> call = calls[slot(id)];
    ids[slot(id)] = 0;
    calls[slot(id)] = null;
    if (call == null) {
      abandoned--;
    } else {
      count(call, -1);
    }
    return call;
  }

  /**
   * Gives a call up, but keeps its id in use until its reply comes, if one may; false if the call
   * does not wait any more.
   */
  boolean abandon(Call<?, ?> call) {
    if (calls[slot(call.id)] != call) {
      return false;
    }
    if (call.method.isOneway) {
      remove(call.id);
      return true;
    }
    calls[slot(call.id)] = null;
    count(call, -1);
    abandoned++;
    return true;
  }

  /**
   * Who waits for the first blocking call after the given id, in the order in which ids are given
   * out; null if there is none.
   */
  Thread nextCaller(int id) {
    for (int step = 1; live > asynchronous && step <= calls.length; step++) {
      Call<?, ?> call = calls[slot(id + step)];
      if (call != null && call.isBlocking()) {
        return call.caller();
      }
    }
    return null;
  }

  /** The call that has waited longest, or null. */
  Call<?, ?> oldest() {
    Call<?, ?> oldest = null;
    for (Call<?, ?> call : calls) {
      if (call != null && (oldest == null || age(call) < age(oldest))) {
        oldest = call;
      }
    }
    return oldest;
  }

  void forEach(Consumer<Call<?, ?>> action) {
    for (Call<?, ?> call : calls) {
      if (call != null) {
        action.accept(call);
      }
    }
  }

  private void count(Call<?, ?> call, int change) {
    live += change;
    if (!call.isBlocking()) {
      asynchronous += change;
    }
  }

  /** Less for what was added earlier. */
  private int age(Call<?, ?> call) {
    return (call.id - nextId) & Integer.MAX_VALUE;
  }

  private int slot(int id) {
    return id & (ids.length - 1);
  }

  private static int after(int id) {
    return id == Integer.MAX_VALUE ? 1 : id + 1;
  }

  private void grow() {
    int[] oldIds = ids;
    Call<?, ?>[] oldCalls = calls;
    ids = new int[oldIds.length * 2];
    calls = new Call<?, ?>[oldIds.length * 2];
    for (int i = 0; i < oldIds.length; i++) {
      if (oldIds[i] != 0) {
        int slot = slot(Math.abs(oldIds[i]));
        ids[slot] = oldIds[i];
        calls[slot] = oldCalls[i];
      }
    }
  }
}
