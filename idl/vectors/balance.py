#!/usr/bin/env python3
"""Writes the vectors of discovery and balancing, from the plain Python in ``reference``; needs nothing but Python.

Nothing of the clients computes here, so that what Rust, Python and Java agree on is one written-down design. Each file
says at its top what its columns mean, and decides what the design leaves open.
Run it as ``make vectors``; ``make check`` compares.
"""

import sys
from pathlib import Path

from reference import hashing, health, listing, nodes, retry, strategies, targets, versions

HERE = Path(__file__).parent
FILES = {
    "hash.tsv": (hashing.HEADER, hashing.rows),
    "balance.tsv": (strategies.HEADER, strategies.rows),
    "latency.tsv": (strategies.LATENCY_HEADER, strategies.latency_rows),
    "health.tsv": (health.HEADER, health.rows),
    "retry.tsv": (retry.HEADER, retry.rows),
    "list.tsv": (listing.HEADER, listing.rows),
    "instances.tsv": (nodes.HEADER, nodes.rows),
    "versions.tsv": (versions.HEADER, versions.rows),
    "targets.tsv": (targets.HEADER, targets.rows),
}


def content(header: str, rows) -> str:
    """Lines that begin with ``#`` are for people, the last of them names the columns."""
    comment = [f"# {line}".rstrip() for line in header.strip("\n").splitlines()]
    return "\n".join([*comment, "#", *("\t".join(row) for row in rows())]) + "\n"


def main() -> None:
    for name, (header, rows) in FILES.items():
        text = content(header, rows)
        target = HERE / name
        if "--check" not in sys.argv[1:]:
            target.write_text(text, "utf-8")
        elif not target.exists() or target.read_text("utf-8") != text:
            sys.exit(f"vectors: idl/vectors/{name} is not what idl/vectors/reference says; run 'make vectors'")
    print("vectors of balancing: fresh")


if __name__ == "__main__":
    main()
