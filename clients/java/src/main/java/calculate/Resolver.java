package calculate;

import java.util.List;

/** Where a client learns which instances there are. */
interface Resolver extends AutoCloseable {
  /** Who is told. Called from any thread. */
  interface Sink {
    /** The registry can be reached. */
    void connected();

    /** The registry cannot be reached. */
    void lost();

    /** All instances that there are now. */
    void read(List<Instance> found);

    /** A node that does not describe an instance, once for each version of it. */
    void skipped(String node, String why);

    /**
     * The list could not be read.
     *
     * @param isAnswer whether that is what the registry says: there is no use in waiting
     */
    void failed(String why, boolean isAnswer);
  }

  /** Begins to tell. */
  void start(Sink sink);

  /** A call has failed: it may be time to look again. */
  void refresh();

  @Override
  void close();
}
