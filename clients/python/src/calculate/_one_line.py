"""Text that somebody else chose, made fit for one line of a log, an error's text or a terminal."""

from __future__ import annotations

import unicodedata

_LENGTH_MAX = 500
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    """``text`` with escapes for what cannot be seen, cut after 500 characters.

    The same in every language: idl/vectors/one_line.tsv.
    """
    if len(text) > _LENGTH_MAX:
        return one_line(text[:_LENGTH_MAX]) + "…"
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return _ESCAPES.get(character) or f"\\u{{{ord(character):x}}}"
