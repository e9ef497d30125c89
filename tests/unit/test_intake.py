"""The intake: marks and requests that were not reconciled yet."""

import asyncio

import pytest

from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.intake import LONGEST_WAIT_SECONDS, MOST_PATTERNS, PACED, Intake
from tests.support.asynchronous import run
from tests.support.fakes import Clock, row_ids

LONG_SECONDS = 20.0


def test_a_marked_pattern_is_not_marked_twice() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(3, 1))
        intake.add(row_ids(3, 2))
        assert await intake.take_patterns(LONG_SECONDS) == [1, 2, 3]

    run(check())


def test_the_mark_is_cleared_before_the_rows_are_read() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(7))
        assert await intake.take_patterns(LONG_SECONDS) == [7]
        assert len(intake) == 0
        # The worker reads the rows now; a commit meanwhile is a new mark.
        intake.add(row_ids(7))
        assert await intake.take_patterns(LONG_SECONDS) == [7]

    run(check())


def test_a_taker_waits_until_something_is_marked() -> None:
    async def check() -> None:
        intake = Intake()
        taker = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        await asyncio.sleep(0)
        assert not taker.done()
        intake.add(row_ids())
        await asyncio.sleep(0)
        assert not taker.done(), "an empty mark wakes no taker"
        intake.add(row_ids(7))
        assert await taker == [7]
        again = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not again.done(), "a taker that does not wait would spin"
        again.cancel()

    run(check())


def test_a_taker_returns_empty_handed_after_its_time() -> None:
    async def check() -> None:
        intake = Intake()
        assert await intake.take_patterns(0.001) == []
        assert await intake.take_scans(0.001) == frozenset()

    run(check())


def test_what_was_taken_is_not_handed_out_again() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(7))
        intake.add_everything(ScanKind.SWEEP)
        await intake.take_patterns(LONG_SECONDS)
        await intake.take_scans(LONG_SECONDS)
        assert await intake.take_patterns(0.001) == []
        assert await intake.take_scans(0.001) == frozenset()

    run(check())


def test_several_requests_become_one_scan_that_knows_them_all() -> None:
    async def check() -> None:
        intake = Intake()
        for kind in (ScanKind.POLL, ScanKind.CATCH_UP, ScanKind.POLL):
            intake.add_everything(kind)
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.POLL, ScanKind.CATCH_UP}

    run(check())


def test_a_flood_of_patterns_becomes_one_scan() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(*range(MOST_PATTERNS)))
        assert len(intake) == MOST_PATTERNS
        intake.add(row_ids(MOST_PATTERNS))
        assert len(intake) == 0
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.REQUEST}

    run(check())


def test_a_closed_intake_hands_out_its_marks_without_waiting() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(7))
        intake.add_everything(ScanKind.SWEEP)
        intake.close()
        assert await intake.take_patterns(LONG_SECONDS) == [7]
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.SWEEP}
        assert await intake.take_patterns(LONG_SECONDS) == []
        assert await intake.take_scans(LONG_SECONDS) == frozenset()

    run(check(), seconds=LONG_SECONDS / 2)


def test_closing_wakes_waiting_takers() -> None:
    async def check() -> None:
        intake = Intake()
        patterns = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        everything = asyncio.create_task(intake.take_scans(LONG_SECONDS))
        await asyncio.sleep(0)
        intake.close()
        assert await patterns == []
        assert await everything == frozenset()

    run(check(), seconds=LONG_SECONDS / 2)


@pytest.mark.parametrize("kind", sorted(PACED))
def test_after_a_fruitless_request_the_next_waits_so_that_scans_take_a_tenth_of_the_time(
    kind: ScanKind,
) -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        intake.add_everything(kind)
        assert await intake.take_scans(0) == {kind}, "the first request is served at once"
        clock.seconds += 0.5
        intake.scanned({kind}, 0.5, in_vain=True)
        intake.add_everything(kind)
        assert await intake.take_scans(0) == frozenset()
        clock.seconds += 4.9
        assert await intake.take_scans(0) == frozenset()
        clock.seconds += 0.1
        assert await intake.take_scans(0) == {kind}

    run(check())


def test_a_request_waits_a_minute_at_most_however_long_scans_take() -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        intake.scanned({ScanKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(ScanKind.REQUEST)
        clock.seconds += LONGEST_WAIT_SECONDS - 0.1
        assert await intake.take_scans(0) == frozenset()
        clock.seconds += 0.1
        assert await intake.take_scans(0) == {ScanKind.REQUEST}

    run(check())


def test_a_request_that_found_something_does_not_delay_the_next() -> None:
    async def check() -> None:
        intake = Intake(Clock())
        intake.scanned({ScanKind.REQUEST}, 500.0, in_vain=True)
        intake.scanned({ScanKind.REQUEST}, 1.0, in_vain=False)
        intake.add_everything(ScanKind.REQUEST)
        assert await intake.take_scans(0) == {ScanKind.REQUEST}

    run(check())


@pytest.mark.parametrize("kind", [ScanKind.CATCH_UP, ScanKind.SWEEP, ScanKind.POLL])
def test_the_daemons_own_scans_are_neither_delayed_nor_delay_others(kind: ScanKind) -> None:
    async def check() -> None:
        intake = Intake(Clock())
        intake.scanned({ScanKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(ScanKind.REQUEST)
        intake.add_everything(kind)
        assert await intake.take_scans(0) == {ScanKind.REQUEST, kind}, "the request is taken along"
        intake = Intake(Clock())
        intake.scanned({kind}, 500.0, in_vain=True)
        intake.add_everything(ScanKind.REQUEST)
        assert await intake.take_scans(0) == {ScanKind.REQUEST}

    run(check())


def test_a_catch_up_wakes_a_taker_that_paces_a_request() -> None:
    async def check() -> None:
        intake = Intake()
        intake.scanned({ScanKind.REQUEST}, 500.0, in_vain=True)
        taker = asyncio.create_task(intake.take_scans(LONG_SECONDS))
        await asyncio.sleep(0)
        intake.add_everything(ScanKind.REQUEST)
        await asyncio.sleep(0.01)
        assert not taker.done()
        intake.add_everything(ScanKind.CATCH_UP)
        assert await taker == {ScanKind.REQUEST, ScanKind.CATCH_UP}

    run(check(), seconds=LONG_SECONDS / 2)


def test_a_taker_hands_out_a_paced_request_on_time_without_being_woken() -> None:
    async def check() -> None:
        intake = Intake()
        intake.scanned({ScanKind.REQUEST}, 0.005, in_vain=True)
        intake.add_everything(ScanKind.REQUEST)
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.REQUEST}

    run(check(), seconds=LONG_SECONDS / 2)


def test_closing_hands_out_a_paced_request() -> None:
    async def check() -> None:
        intake = Intake()
        intake.scanned({ScanKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(ScanKind.REQUEST)
        intake.close()
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.REQUEST}

    run(check(), seconds=LONG_SECONDS / 2)


def test_put_back_work_joins_the_newer_marks() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(row_ids(3))
        intake.put_back(row_ids(1, 2))
        intake.put_back_everything([ScanKind.SWEEP, ScanKind.CATCH_UP])
        assert await intake.take_patterns(LONG_SECONDS) == [1, 2, 3]
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.SWEEP, ScanKind.CATCH_UP}

    run(check())


def test_a_closed_intake_takes_nothing_back_as_the_next_start_catches_up() -> None:
    async def check() -> None:
        intake = Intake()
        intake.close()
        intake.put_back(row_ids(1))
        intake.put_back_everything([ScanKind.SWEEP])
        assert await intake.take_patterns(LONG_SECONDS) == []
        assert await intake.take_scans(LONG_SECONDS) == frozenset()

    run(check(), seconds=LONG_SECONDS / 2)


def test_a_flood_after_closing_blocks_no_taker() -> None:
    async def check() -> None:
        intake = Intake()
        intake.close()
        intake.add(row_ids(*range(MOST_PATTERNS + 1)))
        assert await intake.take_patterns(LONG_SECONDS) == []
        assert await intake.take_scans(LONG_SECONDS) == {ScanKind.REQUEST}

    run(check(), seconds=LONG_SECONDS / 2)


def test_the_oldest_mark_is_known_until_it_is_reconciled() -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        assert intake.oldest_at() is None
        intake.add(row_ids(1))
        first = clock()
        clock.seconds += 1
        intake.add(row_ids(1, 2))
        assert await intake.take_patterns(0) == [1, 2]
        assert (intake.arrived_at(row_ids(1)[0]), intake.arrived_at(row_ids(2)[0])) == (first, clock())
        clock.seconds += 1
        intake.add(row_ids(1))
        intake.put_back(row_ids(1, 2))
        assert intake.oldest_at() == first, "a mark that is put back is as old as it was"
        await intake.take_patterns(0)
        intake.finish(row_ids(1, 2))
        assert intake.oldest_at() is None

    run(check())


def test_a_pattern_that_waits_for_a_lock_resumes_with_its_arrival() -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        (held,) = row_ids(7)
        intake.add([held])
        await intake.take_patterns(0)
        arrived_at = intake.arrived_at(held)
        assert arrived_at is not None
        intake.finish([held])
        clock.seconds += 1
        intake.resume({held: arrived_at})
        assert intake.oldest_at() == arrived_at == clock() - 1

    run(check())


def test_a_flood_is_remembered_with_its_time() -> None:
    clock = Clock()
    intake = Intake(clock)
    intake.add(row_ids(*range(MOST_PATTERNS)))
    assert intake.overflowed_at is None
    intake.add(row_ids(MOST_PATTERNS))
    assert intake.overflowed_at == clock()
