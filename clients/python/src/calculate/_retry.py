"""Whether a call is made once more, when, and what limits it: idl/vectors/retry.tsv says it exactly."""

from __future__ import annotations

from typing import Literal

from ._random import NextU64, below

Outcome = Literal[
    "answered",  # a value, a declared error or an ApplicationError: the server is well
    "overloaded",
    "connect",
    "closed",
    "attempt_timeout",
    "protocol",
    "deadline",  # the call's own
    "client_closed",
]
"""How an attempt ended."""

FAILURES: frozenset[Outcome] = frozenset({"connect", "closed", "attempt_timeout", "protocol"})
"""Those for which an instance is blamed."""

_TOKENS = 10_000  # thousandths of one
TOKENS_MAX = 100_000
_TOKENS_PER_MS = 10
_TOKENS_PER_CALL = 200
_TOKENS_PER_RETRY = 1000
_BACK_OFF_MS = 10
_BACK_OFF_MS_MAX = 250


class Budget:
    """A bucket of tokens that keeps retries from multiplying the load of a service in trouble. Times are in ms."""

    def __init__(self, now: float) -> None:
        self.tokens: float = _TOKENS
        self._at = now

    def call(self, now: float) -> bool:
        """A call begins; whether there is a token then. While the bucket is full, nothing is to be done for it."""
        self._fill(now)
        self.tokens = min(TOKENS_MAX, self.tokens + _TOKENS_PER_CALL)
        return self.tokens >= _TOKENS_PER_RETRY

    def has_token(self, now: float) -> bool:
        self._fill(now)
        return self.tokens >= _TOKENS_PER_RETRY

    def take(self, now: float) -> bool:
        """Takes the token of a retry or a hedge, if there is one."""
        if not self.has_token(now):
            return False
        self.tokens -= _TOKENS_PER_RETRY
        return True

    def _fill(self, now: float) -> None:
        if now > self._at:
            self.tokens = min(TOKENS_MAX, self.tokens + (now - self._at) * _TOKENS_PER_MS)
            self._at = now


def back_off_us(next_u64: NextU64, retry: int) -> int:
    """How long to wait before the first, second … retry, in microseconds: anything up to a limit that doubles."""
    limit_ms = min(_BACK_OFF_MS_MAX, _BACK_OFF_MS << min(retry - 1, 10))
    return below(next_u64, limit_ms * 1000 + 1)


def is_cut_short(*, attempt: int, attempts: int, idempotent: bool, others: bool, token: bool) -> bool:
    """Whether ``attempt_timeout`` limits an attempt: only when it could be followed by another one elsewhere."""
    return attempt < attempts and idempotent and others and token


def may_retry(
    outcome: Outcome, *, idempotent: bool, attempt: int, attempts: int, others: bool, overloaded: int
) -> bool:
    """Whether another attempt is to follow one that ended so, if the budget has a token.

    ``others``: whether there is an instance that this call has not tried. ``overloaded``: how many of its attempts
    ended so, this one included.
    """
    if attempt >= attempts:
        return False
    if outcome == "connect":  # nothing was sent
        return True
    if outcome == "overloaded":  # nothing was carried out
        return others and overloaded == 1
    return idempotent and outcome in FAILURES
