"""For how long a lone caller looks at the socket again and again before it sleeps."""

from __future__ import annotations

SPIN_S = 50e-6
"""What sleeping and waking take on a virtual machine; a fifth of it where nothing is virtual."""

_LEFT_OUT_MAX = 1024


class Spin:
    """How often to do so.

    A reply that comes within the time that falling asleep and waking up would take is had sooner so, and no dearer
    (competitive spinning: Karlin, Manasse, McGeoch and Owicki, 1990). Each time that it was in vain it is left out
    twice as often, so a server that needs longer, or the same processor, costs next to nothing. For one thread at a
    time.
    """

    __slots__ = ("_leaves_out_next", "_left_out")

    def __init__(self) -> None:
        self._left_out = 0
        self._leaves_out_next = 1

    def is_due(self) -> bool:
        """Whether to do so now."""
        if self._left_out:
            self._left_out -= 1
            return False
        return True

    def succeeded(self) -> None:
        """Something came meanwhile."""
        self._leaves_out_next = 1

    def failed(self) -> None:
        """Nothing came."""
        self._left_out = self._leaves_out_next
        self._leaves_out_next = min(2 * self._leaves_out_next, _LEFT_OUT_MAX)
