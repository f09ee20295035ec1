"""targets.tsv: what a target names."""

HEADER = """
Columns, separated by one tab. The file is UTF-8.

    target  as typed
    kind    direct, unix, list, dns, zookeeper, or wrong
    parts   direct, dns: host port. list: host port host port …, unix: the path. zookeeper: servers=HOST:PORT,HOST:PORT (IPv6 in
            brackets) path=/BASE/SERVICE version=LOW-HIGH (9999999999 where there is no limit; "any") group zone ("-" for none).
            All separated by one space. wrong: a word that the message must have

    HOST:PORT   [IPv6]:PORT   unix:/path   HOST:PORT,HOST:PORT…   dns://NAME:PORT   zk://HOST:PORT[,HOST:PORT…]/BASE/SERVICE[?…]

A server that is named twice in a list counts once. Nothing is percent-decoded, and % is refused in a zk:// target; + is a plus.
BASE has one or more segments; no segment is empty, ".", ".." or begins with "." (these are the operator's). The query's keys are version,
group and zone, each at most once and not empty; RANGE is N, N-M (N <= M) or N+, of one to nine digits. A zone in the target goes
before the option. A message of what is wrong shows the target, what is wrong with it, and all forms.
"""

NO_LIMIT = 9_999_999_999


class Wrong(Exception):
    pass


def host_and_port(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise Wrong("port")
    if host.startswith("[") != host.endswith("]"):
        raise Wrong("bracket")
    if host.startswith("["):
        host = host[1:-1]
        if ":" not in host:
            raise Wrong("bracket")
    elif ":" in host:
        raise Wrong("bracket")
    if not host or any(c.isspace() or c in "/@[]" for c in host):
        raise Wrong("host")
    if not (port and len(port) <= 5 and all(c in "0123456789" for c in port) and 0 < int(port) <= 65535):
        raise Wrong("port")
    return host, str(int(port))


def servers(text: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys(host_and_port(each) for each in text.split(",")))


def version_range(text: str) -> str:
    low, high = (text[:-1], str(NO_LIMIT)) if text.endswith("+") else (text.partition("-")[0], text.partition("-")[2])
    if "-" not in text and not text.endswith("+"):
        high = low
    if not all(0 < len(n) <= 10 and all(c in "0123456789" for c in n) for n in (low, high)):
        raise Wrong("version")
    if len(low) > 9 or (len(high) > 9 and not text.endswith("+")) or int(low) > int(high):
        raise Wrong("version")
    return f"{int(low)}-{int(high)}"


def zookeeper(text: str) -> str:
    if "%" in text:
        raise Wrong("%")
    place, _, query = text.partition("?")
    if text.endswith("?"):
        raise Wrong("?")
    ensemble, slash, path = place.partition("/")
    if "@" in ensemble:
        raise Wrong("zk_auth")
    found = servers(ensemble)
    if any(c.isspace() or not c.isprintable() or c in "#" for c in path):
        raise Wrong("path")
    segments = path.split("/")
    if not slash or len(segments) < 2 or any(not s or s.startswith(".") for s in segments):
        raise Wrong("path")
    settings = {"version": "any", "group": "default", "zone": ""}
    seen = set()
    for pair in query.split("&") if query else []:
        key, _, value = pair.partition("=")
        if key not in settings or key in seen:
            raise Wrong(key or "?")
        if not value or len(value) > 255 or any(c.isspace() or not c.isprintable() or c in "=#" for c in value):
            raise Wrong(key)
        seen.add(key)
        settings[key] = version_range(value) if key == "version" else value
    shown = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in found)
    rest = f"version={settings['version']} group={settings['group']} zone={settings['zone'] or '-'}"
    return f"servers={shown} path=/{path} {rest}"


def parse(text: str) -> tuple[str, str]:
    if text.startswith("unix:"):
        path = text[5:]
        if not path or "\x00" in path:
            raise Wrong("path")
        return "unix", path
    scheme, found, rest = text.partition("://")
    if found:
        if scheme == "zk":
            return "zookeeper", zookeeper(rest)
        if scheme == "dns" and "," in rest:
            raise Wrong("one")
        if scheme == "dns":
            return "dns", " ".join(host_and_port(rest))
        raise Wrong(scheme)
    if ",unix:" in text:
        raise Wrong("unix")
    if "," in text:
        return "list", " ".join(part for server in servers(text) for part in server)
    return "direct", " ".join(host_and_port(text))


TARGETS = """
127.0.0.1:9090
[::1]:9090
[fe80::1%eth0]:9090
calculate.example:1
localhost:65535
unix:/run/calculate.sock
unix:/with,comma:and colon
127.0.0.1:9090,127.0.0.1:9091
a:1,[::1]:2,b:3
b:1,a:1
a:1,a:1,b:1
a:1,a:1
dns://calculate.example:9090
dns://127.0.0.1:9090
dns://[::1]:9090
zk://127.0.0.1:2181/services/calculate
zk://a:2181,b:2181,[::1]:2182/services/calculate
zk://a:2181/x/y/z/calculate
zk://a:2181/services/calculate?version=2
zk://a:2181/services/calculate?version=1-3
zk://a:2181/services/calculate?version=2+
zk://a:2181/services/calculate?version=0
zk://a:2181/services/calculate?version=3-3
zk://a:2181/services/calculate?version=999999999
zk://a:2181/services/calculate?group=blue
zk://a:2181/services/calculate?group=a+b
zk://a:2181/services/calculate?zone=west&version=1-2&group=grün
zk://127.0.0.1:2181/services/calculate?version=1-2&group=blue

127.0.0.1
127.0.0.1:
:9090
127.0.0.1:0
127.0.0.1:65536
127.0.0.1:x
127.0.0.1:+80
::1:9090
[::1]
[::1:9090
[a]:9090
a b:9090
unix:
a:1,
,a:1
a:1,,b:1
a:1,b
a:1, b:1
a:1,unix:/x
http://a:9090
ZK://a:2181/services/calculate
dns://
dns://a
dns://a:1/x
dns://a:1,b:1
zk://
zk://a/services/calculate
zk://a:2181
zk://a:2181/
zk://a:2181/calculate
zk://a:2181/services/
zk://a:2181//calculate
zk://a:2181/services//calculate
zk://a:2181/services/../calculate
zk://a:2181/services/.operator
zk://a:2181,/services/calculate
zk:///services/calculate
zk://user:secret@a:2181/services/calculate
zk://a:2181/services/calculate?
zk://a:2181/services/calculate?version
zk://a:2181/services/calculate?version=
zk://a:2181/services/calculate?version=x
zk://a:2181/services/calculate?version=1.2
zk://a:2181/services/calculate?version=3-1
zk://a:2181/services/calculate?version=-1
zk://a:2181/services/calculate?version=1-
zk://a:2181/services/calculate?version=1-2+
zk://a:2181/services/calculate?version=1000000000
zk://a:2181/services/calculate?version=1&version=2
zk://a:2181/services/calculate?group=
zk://a:2181/services/calculate?colour=blue
zk://a:2181/services/calculate?group=blue&
zk://a:2181/services/calculate?group=a%20b
zk://a:2181/services/calc%75late
zk://a:2181/services/calc ulate
"""


def rows():
    yield ["# target", "kind", "parts"]
    for target in TARGETS.splitlines():
        if target:
            try:
                yield [target, *parse(target)]
            except Wrong as wrong:
                yield [target, "wrong", str(wrong)]
