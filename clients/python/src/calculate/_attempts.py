"""One call's attempts: whom each goes to, how long it may take, and whether another one follows. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from ._cluster import Cluster, P
from ._member import Member
from ._method import Method
from ._retry import Outcome, is_cut_short, may_retry
from .errors import (
    CalculateError,
    ConnectError,
    DeadlineExceeded,
    Overloaded,
    ProtocolError,
    TransportError,
)


class Attempt(Generic[P]):
    """One attempt. Times are in seconds, on the clock of time.monotonic()."""

    __slots__ = ("begun", "deadline", "is_cut", "member", "others", "outcome", "over", "timeout")

    def __init__(self, member: Member[P], begun: float, others: bool) -> None:
        self.member = member
        self.begun = begun
        # Whether there is somebody whom the call has not tried.
        self.others = others
        self.timeout = 0.0
        self.deadline = 0.0
        # Whether it ends before the call does.
        self.is_cut = False
        # Whether its end was told already, and how it ended.
        self.over = False
        self.outcome: Outcome | None = None


class Attempts(Generic[P]):
    """The attempts of one call that may be hedged, or whose first one failed (which is then to be adopted)."""

    def __init__(
        self, cluster: Cluster[P], clock: Callable[[], float], method: Method, timeout: float, key: bytes | None
    ) -> None:
        self._cluster = cluster
        self._clock = clock
        self._method = method
        self._timeout = timeout
        self.deadline = clock() + timeout
        self._key = key
        self._tried: list[str] = []
        self._count = 0
        self._retries = 0
        self._overloaded = 0
        self._attempts_max = cluster.balancing.attempts
        self._attempt_timeout = cluster.balancing.attempt_timeout
        # The attempt that the caller waits for, or whose error it has.
        self.last: Attempt[P]

    def adopt(self, member: Member[P], begun: float, timeout: float) -> None:
        """The first attempt was made already."""
        self._tried.append(member.id)
        self._count = 1
        self.deadline = begun + self._timeout
        attempt = self.last = Attempt(member, begun, True)
        attempt.timeout, attempt.deadline = timeout, begun + timeout
        attempt.is_cut = timeout < self._timeout

    def begin(self) -> Attempt[P]:
        """The next attempt, which must be given back by ``answered``, ``dropped``, ``ended`` or ``again``."""
        if self._count:
            member, others, token = self._cluster.pick(self._tried, self._key)
        else:
            member, others, token = self._cluster.begin(self._clock() * 1000, self._key)
        self._tried.append(member.id)
        self._count += 1
        attempt = self.last = Attempt(member, self._clock(), others)
        attempt.timeout, attempt.deadline = self._timeout, self.deadline
        if (
            is_cut_short(
                attempt=self._count,
                attempts=self._attempts_max,
                idempotent=self._method.idempotent,
                others=others,
                token=token,
            )
            and attempt.begun + self._attempt_timeout < self.deadline
        ):
            attempt.timeout, attempt.deadline = self._attempt_timeout, attempt.begun + self._attempt_timeout
            attempt.is_cut = True
        return attempt

    def hedge_at(self, attempt: Attempt[P]) -> float | None:
        """When to ask a second instance, too, should the first attempt not be over; None for never."""
        if self._count > 1 or not attempt.others or not self._method.idempotent or self._attempts_max == 1:
            return None
        after = self._cluster.hedge_after()
        if after is None or attempt.begun + after / 1000 >= attempt.deadline:
            return None
        return attempt.begun + after / 1000

    def hedge(self, slow: Attempt[P]) -> Attempt[P] | None:
        """The second attempt; None when there is no token for it, or nobody any more."""
        if not self._cluster.others(self._tried) or not self._cluster.hedge(slow.member.id):
            return None
        try:
            return self.begin()
        except ConnectError:  # meanwhile
            return None

    def answered(self, attempt: Attempt[P]) -> None:
        """The server answered."""
        self._done(attempt, "answered")

    def dropped(self, attempt: Attempt[P]) -> None:
        """Nobody waits for the answer any more."""
        self._done(attempt, None)

    def ended(self, attempt: Attempt[P], error: CalculateError) -> None:
        """The attempt ended with this error."""
        outcome = _outcome(error, attempt.is_cut)
        took = self._clock() - attempt.begun
        # With less time than that, it may well have been the caller's haste.
        blame = outcome == "deadline" and took >= self._attempt_timeout
        self._done(attempt, outcome, str(error), blame=blame)

    def again(self, error: BaseException, *, closed: bool) -> float | None:
        """How long to wait before the next attempt, as the last one ended with this; None when the call ends, too.

        ``closed``: whether the client was.
        """
        attempt = self.last
        if closed or not isinstance(error, CalculateError):
            self.dropped(attempt)
            return None
        if not attempt.over:
            self.ended(attempt, error)
        if attempt.outcome == "answered" or attempt.outcome is None:
            return None
        if attempt.outcome == "overloaded":
            self._overloaded += 1
        wait: float | None = None
        if may_retry(
            attempt.outcome,
            idempotent=self._method.idempotent,
            attempt=self._count,
            attempts=self._attempts_max,
            others=self._cluster.others(self._tried),
            overloaded=self._overloaded,
        ):
            remaining = self.deadline - self._clock()
            wait = self._cluster.retry(self._retries + 1, remaining, attempt.member.id, str(error))
        if wait is None:
            self._cluster.failed()
        else:
            self._retries += 1
        return wait

    def _done(self, attempt: Attempt[P], outcome: Outcome | None, why: str = "", *, blame: bool = False) -> None:
        if attempt.over:
            return
        attempt.over = True
        attempt.outcome = outcome
        # Connecting is not what the server is slow at.
        took = (self._clock() - max(attempt.begun, attempt.member.pool.connected_at)) * 1000
        self._cluster.done(attempt.member, outcome, took, why=why, blame=blame)


def _outcome(error: CalculateError, is_cut: bool) -> Outcome:
    if isinstance(error, Overloaded):
        return "overloaded"
    if isinstance(error, DeadlineExceeded):
        return "attempt_timeout" if is_cut else "deadline"
    if isinstance(error, ConnectError):
        return "connect"
    if isinstance(error, TransportError):
        return "closed"
    return "protocol" if isinstance(error, ProtocolError) else "answered"  # with an error of the IDL, perhaps
