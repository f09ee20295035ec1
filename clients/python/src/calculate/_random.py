"""Random numbers, drawn in the same way by every client, so that vectors can say what comes of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

NextU64 = Callable[[], int]
"""The next random number of 64 bits."""


def below(next_u64: NextU64, n: int) -> int:
    """0 to n-1, for n up to 2^32."""
    return ((next_u64() >> 32) * n) >> 32


system_u64: NextU64 = partial(random.getrandbits, 64)
"""From Python's generator, which seeds itself."""
