"""Poison rows are held back, each twice as long as the time before."""

from pattern_sync.domain.quarantine import FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS, MOST_PATTERNS, Quarantine


def test_a_failed_pattern_is_held_until_its_time_has_come() -> None:
    quarantine = Quarantine()
    quarantine.failed(7, now=100.0)
    just_before = 100.0 + FIRST_RETRY_SECONDS - 0.001
    assert quarantine.holds(7, just_before)
    assert quarantine.due(just_before) == []
    assert not quarantine.holds(7, 100.0 + FIRST_RETRY_SECONDS)
    assert quarantine.due(100.0 + FIRST_RETRY_SECONDS) == [7]


def test_a_pattern_that_never_failed_is_not_held() -> None:
    assert not Quarantine().holds(7, now=0.0)


def test_each_failure_waits_twice_as_long_up_to_an_hour() -> None:
    quarantine = Quarantine()
    now, waits = 0.0, []
    for _ in range(12):
        quarantine.failed(7, now)
        ends = next(second for second in range(1, 3601) if not quarantine.holds(7, now + second))
        waits.append(float(ends))
        now += ends
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
    assert waits[-1] == LAST_RETRY_SECONDS


def test_a_pattern_that_was_released_starts_over() -> None:
    quarantine = Quarantine()
    quarantine.failed(7, now=0.0)
    quarantine.failed(7, now=5.0)
    quarantine.release([7, 8])
    assert len(quarantine) == 0
    quarantine.failed(7, now=100.0)
    assert quarantine.due(100.0 + FIRST_RETRY_SECONDS) == [7]


def test_a_fault_that_hits_every_row_does_not_fill_the_memory() -> None:
    quarantine = Quarantine()
    for pattern_id in range(MOST_PATTERNS + 500):
        quarantine.failed(pattern_id, now=0.0)
    assert len(quarantine) == MOST_PATTERNS
    assert not quarantine.holds(MOST_PATTERNS + 1, now=0.0)
    quarantine.failed(0, now=50.0)
    assert quarantine.holds(0, now=59.0), "one that is held already can still be held longer"
