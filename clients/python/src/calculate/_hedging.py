"""A call that takes long is asked of a second instance, too. The first answer counts; the other one is dropped."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from ._attempts import Attempt, Attempts
from ._method import Method
from ._pool import Pool
from .errors import CalculateError

_Result = tuple[Attempt[Pool], Any, BaseException | None]


def call_hedged(attempts: Attempts[Pool], first: Attempt[Pool], method: Method, args: Any, hedge_at: float) -> Any:
    """The answer to the first attempt, or to a second one made at ``hedge_at``; raises as a call does.

    A lone thread does all, unless it takes that long; then two more wait for one answer each, and account for it.
    """
    held = first.member.pool.hold(method, args, first.timeout, first.deadline, hedge_at)
    second = None if held.done else attempts.hedge(first)
    if second is None:
        attempts.last = first
        return held.finish(first.timeout, first.deadline)
    pool, other = second.member.pool, second
    results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
    _start(attempts, first, results, lambda: held.finish(first.timeout, first.deadline))
    _start(attempts, other, results, lambda: pool.call(method, args, other.timeout, other.deadline))
    attempt, value, error = results.get()
    if error is not None and attempt.outcome != "answered":
        attempt, value, error = results.get()
    attempts.last = attempt
    if error is not None:
        raise error
    return value


def _start(
    attempts: Attempts[Pool], attempt: Attempt[Pool], results: queue.SimpleQueue[_Result], wait: Callable[[], Any]
) -> None:
    def run() -> None:
        try:
            value = wait()
        except CalculateError as error:
            attempts.ended(attempt, error)
            results.put((attempt, None, error))
        except BaseException as error:
            attempts.dropped(attempt)
            results.put((attempt, None, error))
        else:
            attempts.answered(attempt)
            results.put((attempt, value, None))

    try:
        threading.Thread(target=run, name="calculate-hedge", daemon=True).start()
    except RuntimeError:  # no more threads
        run()
