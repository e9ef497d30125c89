"""The line that `systemctl status` shows."""

import pytest

from pattern_sync.domain.facts import (
    DatabaseBack,
    DatabaseLost,
    EntriesRefreshed,
    Fact,
    FilterForeign,
    FilterOwn,
    HttpServing,
    HttpWaiting,
    ListenerListening,
    ListenerLost,
    NotificationQueueDrained,
    NotificationQueueFull,
    NotificationReceived,
    PatternsReconciled,
    ReloadDeferred,
    ReloadRefused,
    ScanFinished,
    SettingsReloaded,
    SweepPlanned,
    TriggersFaulty,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, TriggerFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.observability.status_line import StatusLine
from pattern_sync.observability.subscribers import Subscribers
from pattern_sync.observability.view import View
from pattern_sync.observability.writer import LogWriter
from tests.support.fakes import Clock

SWEEP = frozenset({ScanKind.SWEEP})
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
PAGES_ONLY = TriggerFault("pattern_approvals", "the trigger is missing", Audience.PAGES, mendable=True)


class Shown:
    def __init__(self) -> None:
        self.view = View(Clock())
        self.lines: list[str] = []
        self._emit = Subscribers([self.view, StatusLine(self.view, self.lines.append)], LogWriter())

    def after(self, *facts: Fact) -> str:
        for fact in facts:
            self._emit(fact)
        return self.lines[-1]


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_waiting_for_the_first_connect_is_one_line(shown: Shown) -> None:
    notified = NotificationReceived(Channel.PATTERNS, NotificationKind.PATTERN)
    assert shown.after(DatabaseLost("refused"), notified) == "waiting for the database: refused"
    assert shown.after(DatabaseBack(1.0)) == "starting; 0 queued, 0 failed since start"
    assert len(shown.lines) == 2


def test_a_port_that_is_taken_is_shown_until_it_is_free(shown: Shown) -> None:
    assert shown.after(HttpWaiting("port 8002 is taken"), ListenerListening(None)).endswith(
        "; not serving HTTP: port 8002 is taken"
    )
    assert shown.after(HttpServing("http://127.0.0.1:8002/")) == "listening; 0 queued, 0 failed since start"


def test_a_refused_reload_is_shown_until_one_is_accepted(shown: Shown) -> None:
    refused = "the last reload was refused: no number"
    assert shown.after(ListenerListening(None), ReloadRefused("no number")).endswith(f"failed since start; {refused}")
    assert refused in shown.after(ListenerLost("lost"))
    assert "reload" not in shown.after(SettingsReloaded("all", changed=False))


def test_a_deferred_filter_is_shown_until_it_is_in_force(shown: Shown) -> None:
    deferred = "waiting for the database: refused; the new filter waits for the database"
    assert shown.after(DatabaseLost("refused"), ReloadDeferred("all")) == deferred
    assert shown.after(ReloadRefused("no number")) == f"{deferred}; the last reload was refused: no number"
    assert shown.after(SettingsReloaded("all", changed=True)).endswith(
        "refused; the last reload was refused: no number"
    )


def test_listening_and_polling_are_shown_when_they_change(shown: Shown) -> None:
    shown.after(ListenerListening(None), ListenerLost("lost"), SweepPlanned(1.0), ListenerListening(60.0))
    assert [line.split(";")[0] for line in shown.lines] == ["listening", "polling", "listening"]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (TriggersFaulty((DISABLED,), silenced=True), TriggersSound(1.0)),
        (TriggersUnseen("no right"), TriggersSeen()),
        (NotificationQueueFull(0.6, None), NotificationQueueDrained()),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_daemon_that_listens_in_vain_is_shown_as_polling(shown: Shown, begins: Fact, ends: Fact) -> None:
    assert shown.after(ListenerListening(None), begins).startswith("polling;")
    assert shown.after(ends).startswith("listening;")


def test_a_fault_that_affects_only_the_pages_is_not_shown_as_polling(shown: Shown) -> None:
    assert shown.after(ListenerListening(None), TriggersFaulty((PAGES_ONLY,), silenced=False)).startswith("listening;")


def test_a_scan_shows_what_was_queued_and_what_failed(shown: Shown) -> None:
    result = SyncResult(synced_count=3, error_count=2, errors=("a: bad",))
    assert shown.after(ScanFinished(SWEEP, result)) == "starting; 3 queued, 2 failed since start"


def test_a_frequent_fact_waits_for_the_next_status_line(shown: Shown) -> None:
    outcomes = tuple(PatternOutcome(RowId(i), f"s{i}", Outcome.QUEUED) for i in range(100))
    shown.after(ListenerListening(None), PatternsReconciled(outcomes, 1.0), EntriesRefreshed(1, 1.0))
    assert len(shown.lines) == 1
    assert shown.view.queued_total == 100
    assert shown.after(ScanFinished(SWEEP, SyncResult())) == "listening; 100 queued, 0 failed since start"


def test_the_same_line_is_not_shown_twice(shown: Shown) -> None:
    shown.after(ListenerListening(None), ScanFinished(SWEEP, SyncResult()), ScanFinished(SWEEP, SyncResult()))
    assert len(shown.lines) == 1


def test_failures_of_every_path_are_counted(shown: Shown) -> None:
    failed = tuple(PatternOutcome(RowId(i), f"s{i}", Outcome.FAILED, "refused") for i in range(4))
    shown.after(PatternsReconciled(failed, 1.0), ScanFinished(SWEEP, SyncResult(error_count=3)))
    assert shown.view.failed_total == 7


def test_what_silences_us_and_whose_filter_is_in_force_is_shown(shown: Shown) -> None:
    faulty = TriggersFaulty((DISABLED,), silenced=True)
    assert shown.after(faulty).endswith("; not everything is announced: the trigger is disabled")
    assert "not everything" not in shown.after(TriggersSound(1.0))
    foreign = FilterForeign(SyncFilter(), SyncFilter.high_priority(), None)
    assert shown.after(foreign).endswith("; another filter than its own is in force")
    assert "filter" not in shown.after(FilterOwn(SyncFilter.high_priority()))
