package calculate;

/**
 * What a client asks of instances.
 *
 * @param versions that it can do with
 * @param group that it calls
 * @param zone that it calls first; "" for no zone
 * @param tls whether it uses TLS
 */
record Wanted(VersionRange versions, String group, String zone, boolean tls) {
  /** Whether the instance is one of those that are asked for. */
  boolean fits(Instance instance) {
    return group.equals(instance.group())
        && versions.includes(instance.versions())
        && instance.hasPort(tls);
  }
}
