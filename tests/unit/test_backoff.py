"""How long to wait: full jitter, a cap, and a reset."""

from pattern_sync.domain.backoff import Backoff


def test_the_ceiling_doubles_until_the_cap() -> None:
    backoff = Backoff(lambda: 1.0, base_seconds=0.1, cap_seconds=1.5)
    assert [round(backoff.next_delay_seconds(), 3) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.5, 1.5]


def test_the_jitter_ranges_from_0_to_the_ceiling() -> None:
    draws = iter([0.0, 0.5, 1.0])
    backoff = Backoff(lambda: next(draws), base_seconds=4.0, cap_seconds=4.0)
    assert [backoff.next_delay_seconds() for _ in range(3)] == [0.0, 2.0, 4.0]


def test_a_success_starts_over() -> None:
    backoff = Backoff(lambda: 1.0, base_seconds=1.0, cap_seconds=60.0)
    for _ in range(4):
        backoff.next_delay_seconds()
    backoff.reset()
    assert backoff.next_delay_seconds() == 1.0


def test_a_year_of_failures_overflows_nothing() -> None:
    backoff = Backoff(lambda: 1.0, base_seconds=0.1, cap_seconds=1.5, attempts=50_000_000)
    assert backoff.next_delay_seconds() == 1.5
