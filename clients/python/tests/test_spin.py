"""How often a lone caller spins before it sleeps."""

from __future__ import annotations

from calculate._spin import Spin


def left_out(spin: Spin, failures: int) -> list[int]:
    """How many waits go by without spinning after each that spins in vain."""
    counts = []
    for _ in range(failures):
        spin.failed()
        count = 0
        while not spin.is_due():
            count += 1
        counts.append(count)
    return counts


def test_as_long_as_replies_come_in_time_it_spins_each_time() -> None:
    spin = Spin()
    for _ in range(10):
        assert spin.is_due()
        spin.succeeded()


def test_in_vain_it_spins_more_and_more_seldom_and_at_the_end_once_in_a_thousand_times() -> None:
    assert left_out(Spin(), 12) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024]


def test_what_came_in_time_once_is_tried_each_time_again() -> None:
    spin = Spin()
    left_out(spin, 12)
    spin.succeeded()
    assert spin.is_due()
    assert left_out(spin, 2) == [1, 2]
