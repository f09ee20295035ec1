package calculate;

import calculate.Attempts.Attempt;
import calculate.BalancingEvent.Kind;
import calculate.Retry.Failure;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Decides for all calls of a client: whom to call, whether to try again, who is left alone. Does no
 * I/O; time and randomness are given to it. Thread-safe.
 */
final class Balancer {
  /** What {@link #failed} answers when the call has failed. */
  static final long GIVE_UP = -1;

  /** What {@link #failed} answers when another copy of the call is still on its way. */
  static final long WAIT = -2;

  private final String service;
  private final Balancing settings;
  private final Randomness randomness;
  private final LongSupplier nanos;
  private final Events events;
  private final long startedNanos;

  private final InstanceList list = new InstanceList();
  private final Wanted wanted;
  private final Picker picker;
  private final Health health;
  private final RetryBudget budget = new RetryBudget(0);
  private final RecentLatencies latencies = new RecentLatencies();

  /** In the order of their ids; a new list whenever something in it changes. */
  private List<Member> members = List.of();

  private boolean begun;
  private long calls;
  private long failures;
  private long retries;
  private long retriesDenied;
  private long hedges;
  private long ejections;

  /** Counted by who makes connections. */
  final AtomicLong connects = new AtomicLong();

  Balancer(
      String service,
      Balancing settings,
      Wanted wanted,
      Randomness randomness,
      LongSupplier nanos,
      Events events) {
    this.service = service;
    this.settings = settings;
    this.randomness = randomness;
    this.nanos = nanos;
    this.events = events;
    this.startedNanos = nanos.getAsLong();
    this.wanted = wanted;
    this.picker = new Picker(settings.balance(), wanted, settings.warmUp().toMillis(), randomness);
    this.health = new Health(randomness);
  }

  /** Those in the list. */
  synchronized List<Member> members() {
    return members;
  }

  /** Those that could be called if they were well. */
  synchronized List<Member> callable() {
    return picker.callable(members);
  }

  synchronized List<Instance> instances() {
    return list.instances();
  }

  synchronized BalancingCounters counters() {
    return new BalancingCounters(
        calls, failures, retries, retriesDenied, hedges, ejections, members.size(), connects.get());
  }

  /** A list from the disk. */
  synchronized void cached(Collection<Instance> found) {
    apply(list.cached(found));
  }

  /** All that the registry names. */
  synchronized void read(Collection<Instance> found) {
    apply(list.read(nowMillis(), found));
  }

  /** The registry can be reached. */
  synchronized void connected() {
    list.connected(nowMillis());
  }

  /** The registry cannot be reached. */
  synchronized void lost() {
    apply(list.lost());
  }

  /** Time has passed. */
  synchronized void tick() {
    List<InstanceList.Change> changes = list.tick(nowMillis());
    if (!changes.isEmpty()) {
      apply(changes);
    }
  }

  /** Those whose time of being left alone is up; who asks has to probe them. */
  synchronized List<Member> takeDue() {
    return Health.takeDue(members, nowMillis());
  }

  synchronized void probed(Member member, boolean well) {
    if (!members.contains(member)) {
      return;
    }
    if (well) {
      Health.probeWell(member);
      picker.changed();
      member.latency.forget();
      events.note(Kind.INSTANCE_RETURNED, member.id(), "it answers again");
    } else {
      noteEjection(member, health.probeFailed(member, nowMillis()), "it does not answer a probe");
    }
  }

  /**
   * Begins a call, or makes it once more.
   *
   * @throws ConnectError if there is nobody to call
   */
  synchronized Attempt begin(Attempts call) {
    long now = nowMillis();
    if (call.made == 0) {
      calls++;
      budget.call(now);
    }
    Member member = picker.pick(members, call.tried, call.key, now);
    if (member == null) {
      failures++;
      throw BalancingErrors.noInstance(service, members.size());
    }
    return start(call, member, now);
  }

  /** A second copy of a call that takes long, or null if there is to be none. */
  synchronized Attempt hedge(Attempts call) {
    boolean wanted =
        call.made == 1
            && call.running == 1
            && settings.attempts() > 1
            && picker.hasOthers(members, call.tried);
    long now = nowMillis();
    if (!wanted || !takeToken(now)) {
      return null;
    }
    hedges++;
    Member member = picker.pick(members, call.tried, call.key, now);
    events.note(Kind.HEDGE, member.id(), "a call to " + call.tried.get(0).id() + " takes long");
    return start(call, member, now);
  }

  /** After how many microseconds a hedge of the call is due; -1 for not at all. */
  synchronized long hedgeAfterMicros(Attempts call) {
    return settings.hedge() && call.idempotent && call.made == 1 ? latencies.p95Micros() : -1;
  }

  /** An attempt was answered, maybe with an error that the method declares. */
  synchronized void answered(Attempts call, Attempt attempt) {
    end(call, attempt);
    long took = took(attempt);
    latencies.add(TimeUnit.NANOSECONDS.toMicros(took));
    sample(attempt, took);
  }

  /** An attempt ended without anything to learn from it. */
  synchronized void dropped(Attempts call, Attempt attempt) {
    end(call, attempt);
  }

  /**
   * An attempt failed otherwise.
   *
   * @return after how many microseconds to make another one, {@link #GIVE_UP} or {@link #WAIT}
   */
  synchronized long failed(Attempts call, Attempt attempt, Failure failure, String why) {
    end(call, attempt);
    learn(call, attempt, failure, why);
    if (call.running > 0) {
      return WAIT;
    }
    long wait = waitForRetry(call, attempt, failure, why);
    failures += wait == GIVE_UP && !failure.isAnswer() ? 1 : 0;
    return wait;
  }

  /** Somebody who was not chosen for these attempts before, without making one; null for nobody. */
  synchronized Member choose(Attempts call) {
    Member member = picker.pick(members, call.tried, call.key, nowMillis());
    call.tried.add(member);
    return member;
  }

  /** An instance could not be connected to, before any call. */
  synchronized void blame(Member member, String why) {
    noteFailure(member, 0, why);
  }

  /** Without connecting: that is not what the server is slow at. */
  private long took(Attempt attempt) {
    long began = attempt.startedNanos();
    long connected = attempt.member().connectedNanos;
    boolean later = connected != Member.NEVER && connected - began > 0;
    return nanos.getAsLong() - (later ? connected : began);
  }

  private long nowMillis() {
    return TimeUnit.NANOSECONDS.toMillis(nanos.getAsLong() - startedNanos);
  }

  private void apply(List<InstanceList.Change> changes) {
    Set<String> came =
        changes.stream()
            .filter(change -> change.kind() == Kind.INSTANCE_UP)
            .map(InstanceList.Change::id)
            .collect(Collectors.toSet());
    Map<String, Member> known = new TreeMap<>(Instance.ID_ORDER);
    members.forEach(member -> known.put(member.id(), member));
    List<Member> next = new ArrayList<>();
    for (Instance instance : list.instances()) {
      Member member = known.get(instance.id());
      if (member == null || came.contains(instance.id())) {
        member = new Member(instance, begun ? nowMillis() : Member.NEVER);
      }
      member.update(instance, wanted.versions());
      next.add(member);
    }
    members = List.copyOf(next);
    begun |= !members.isEmpty();
    changes.forEach(change -> events.note(change.kind(), change.id(), ""));
  }

  private Attempt start(Attempts call, Member member, long now) {
    call.made++;
    call.running++;
    if (!call.tried.contains(member)) {
      call.tried.add(member);
    }
    member.inFlight.incrementAndGet();
    boolean cut =
        Retry.isCut(state(call), budget.hasToken(now))
            && settings.attemptTimeout().toNanos() < call.deadline.leftNanos();
    Deadline deadline = cut ? Deadline.after(settings.attemptTimeout()) : call.deadline;
    return new Attempt(member, deadline, cut, nanos.getAsLong());
  }

  private Retry.State state(Attempts call) {
    return new Retry.State(
        call.made, settings.attempts(), call.idempotent, picker.hasOthers(members, call.tried));
  }

  private static void end(Attempts call, Attempt attempt) {
    call.running--;
    attempt.member().inFlight.decrementAndGet();
  }

  private void learn(Attempts call, Attempt attempt, Failure failure, String why) {
    if (failure == Failure.OVERLOADED) {
      call.overloaded++;
      attempt.member().avoid(nowMillis());
    }
    if (failure == Failure.DEADLINE) {
      sample(attempt, took(attempt));
    }
    if (failure.isFault()) {
      noteFailure(attempt.member(), took(attempt), why);
    }
  }

  private long waitForRetry(Attempts call, Attempt attempt, Failure failure, String why) {
    if (!Retry.isWanted(failure, state(call), call.overloaded) || !takeToken(nowMillis())) {
      return GIVE_UP;
    }
    long wait = Retry.backOffMicros(call.retries + 1, randomness);
    if (TimeUnit.MICROSECONDS.toNanos(wait) >= call.deadline.leftNanos()) {
      return GIVE_UP;
    }
    call.retries++;
    retries++;
    events.note(Kind.RETRY, attempt.member().id(), why);
    return wait;
  }

  private boolean takeToken(long now) {
    boolean taken = budget.take(now);
    retriesDenied += taken ? 0 : 1;
    return taken;
  }

  private void sample(Attempt attempt, long tookNanos) {
    attempt.member().latency.sample(nowMillis(), tookNanos / 1e6);
  }

  private void noteFailure(Member member, long tookNanos, String why) {
    if (!members.contains(member)) {
      return;
    }
    List<InstanceList.Change> removed = list.failed(member.id());
    if (removed.isEmpty()) {
      member.latency.fail(nowMillis(), tookNanos / 1e6);
      long length = health.fail(member, nowMillis(), picker.callable(members));
      if (length >= 0) {
        noteEjection(member, length, why);
      }
    } else {
      apply(removed);
    }
  }

  private void noteEjection(Member member, long millis, String why) {
    ejections++;
    picker.changed();
    events.note(Kind.INSTANCE_EJECTED, member.id(), "for " + millis + " ms: " + why);
  }
}
