"""The line that `systemctl status` shows."""

from collections.abc import Callable, Iterator

from pattern_sync.domain.facts import (
    EntriesRefreshed,
    Fact,
    NotificationReceived,
    PatternsReconciled,
    RequestAnswered,
    SessionProven,
    TriggersChecked,
)
from pattern_sync.domain.reception import Mode
from pattern_sync.observability.view import View
from pattern_sync.observability.words import shown_faults

# Too frequent to be worth a message each: the next other fact shows their totals.
_FREQUENT = (
    NotificationReceived,
    PatternsReconciled,
    EntriesRefreshed,
    RequestAnswered,
    SessionProven,
    TriggersChecked,
)


class StatusLine:
    """Shows the line when it has changed. `show` takes it; `view` has taken each fact before."""

    def __init__(self, view: View, show: Callable[[str], None]) -> None:
        self._view = view
        self._show = show
        self._shown = self._line()

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        if isinstance(fact, _FREQUENT):
            return
        line = self._line()
        if line != self._shown:
            self._shown = line
            self._show(line)

    def _line(self) -> str:
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        view = self._view
        if view.mode is Mode.STARTING and view.database_lost_at is not None:
            yield f"waiting for the database: {view.why_database_lost}"
        else:
            yield f"{view.effective_mode}; {view.queued_total} queued, {view.failed_total} failed since start"
        if view.http_waits_for:
            yield f"not serving HTTP: {view.http_waits_for}"
        if view.trigger_faults:
            yield f"not everything is announced: {', '.join(shown_faults(view.trigger_faults))}"
        if view.foreign_filter is not None:
            yield "another filter than its own is in force"
        if view.filter_is_deferred:
            yield "the new filter waits for the database"
        if view.why_reload_refused:
            yield f"the last reload was refused: {view.why_reload_refused}"
