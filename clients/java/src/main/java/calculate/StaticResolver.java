package calculate;

import java.util.List;

/** Servers that were named. */
final class StaticResolver implements Resolver {
  private final List<Target.Tcp> servers;

  StaticResolver(List<Target.Tcp> servers) {
    this.servers = servers;
  }

  @Override
  public void start(Sink sink) {
    sink.connected();
    sink.read(servers.stream().map(Instance::at).toList());
  }

  @Override
  public void refresh() {
    // They stay the same.
  }

  @Override
  public void close() {
    // Nothing is held.
  }
}
