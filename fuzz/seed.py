"""Writes the first inputs of each corpus: the golden messages and frames, framed and unframed, alone and in a row."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "idl/vectors"


def rows(*files: str) -> list[list[str]]:
    lines = [line for file in files for line in (VECTORS / file).read_text("ascii").splitlines()]
    return [line.split("\t") for line in lines if not line.startswith("#")]


ROWS = rows("messages.tsv", "old.tsv")


def write(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


for name, protocol, *_, message in ROWS:
    raw = bytes.fromhex(message)
    framed = len(raw).to_bytes(4, "big") + raw
    write({"old": "binary"}.get(protocol, protocol), f"golden_{name}", raw)
    write("reply", f"golden_framed_{name}", framed)
    write("reply", f"golden_unframed_{name}", raw)
    write("detect", f"golden_{name}", raw[:8])
    write("detect", f"golden_framed_{name}", framed[:8])
for name, start in {"http": b"GET / HTTP/1.1\r\n\r\n", "tls": b"\x16\x03\x01\x02\x00", "h2": b"PRI * HTTP/2.0"}.items():
    write("detect", name, start)
    write("reply", name, start)
for name, transport, *_, frame in rows("theader.tsv", "ttheader.tsv"):
    raw = bytes.fromhex(frame)
    if len(raw) < 1000:
        write(transport, f"golden_{name}", raw[4:])
        write("reply", f"golden_{name}", raw)
    write("detect", f"golden_{transport}", raw[:8])
for protocol in ("binary", "compact", "old"):
    calls = [bytes.fromhex(row[-1]) for row in ROWS if row[1] == protocol and row[2] == "CALL"][:20]
    write("reply", f"pipelined_{protocol}", b"".join(calls))
    write("reply", f"pipelined_framed_{protocol}", b"".join(len(c).to_bytes(4, "big") + c for c in calls))

RULES = (
    "allow cert:a.b *", "allow cert:*.b Calculate.*", "deny cert:spiffe://a/b a.b.c", "allow cert:* Calculate.Square *",
    "allow cn:bob Calculate.Square Calculate.Cal", "deny unix:root *", "allow unix:0 *", "deny unix:* a.b.*",
    "allow addr:10.0.0.0/8 *", "deny addr:10.1.2.3 Calculate.Square", "allow addr:2001:db8::/32 *",
    "deny addr:::ffff:10.0.0.0/104 *", "allow * *  # all", "deny * a.b.c", "# nothing", "permit * *", "allow", "allow *",
    "allow alice *", "allow addr:10.0.0.0/99 *", "allow * Square", "\ufeffallow * *", "allow\u00a0*\t*", "deny cert:* *\r",
)
for number, rule in enumerate(RULES):
    write("access", f"rule_{number}", rule.encode())
for number in range(4):
    write("access", f"list_{number}", "\n".join(rule for rule in RULES[number:15] if rule).encode())
