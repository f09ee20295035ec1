"""Random numbers as all vectors draw them."""

_MASK = 2**64 - 1


class SplitMix64:
    """The 64-bit source of the vectors: https://prng.di.unimi.it/splitmix64.c."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def next_u64(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """0 .. n-1, for n up to 2**32."""
        return ((self.next_u64() >> 32) * n) >> 32
