"""What the services of one daemon share, beside its database."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.facts import (
    DatabaseBack,
    DatabaseLost,
    Emit,
    LearningResumed,
    LearningStopped,
    PagesCurrent,
    PagesStale,
    ResultsResumed,
    ResultsStopped,
    RulingResumed,
    RulingStopped,
    TellingResumed,
    TellingStopped,
)
from pattern_sync.observability.log import Log
from pattern_sync.observability.metrics.exposition import Metrics
from pattern_sync.observability.status_line import StatusLine
from pattern_sync.observability.subscribers import Subscribers
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.observability.view import View
from pattern_sync.observability.writer import LogWriter
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.services.activity import Activity
from pattern_sync.services.outage import Availability
from pattern_sync.services.supervisor import Service, Supervisor
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.silence import Silence


@dataclass(frozen=True, slots=True)
class Observers:
    """The subscribers of facts, and the link to the service manager."""

    view: View
    metrics: Metrics
    manager: ServiceManager
    emit: Emit

    @classmethod
    def build(cls, now: Callable[[], float], timings: Timings) -> "Observers":
        """Connect log, view, metrics and status line."""
        view, metrics = View(now), Metrics()
        write = LogWriter()
        log = Log(write, now, timings.log_interval_seconds, lambda: view.effective_mode)
        manager = ServiceManager(log)
        emit = Subscribers([view, metrics, log, StatusLine(view, manager.status)], write)
        return cls(view, metrics, manager, emit)


@dataclass(frozen=True, slots=True)
class Core:
    """The conditions that services decide and act on, and the marks that they hand over.

    `database` is lost while services cannot use it, `pages` while the review pages cannot be kept up to date, `telling`
    while no messages to people can be prepared, `results` while they are not kept up to date, `ruling` while rules can
    neither mark nor decide, and `learning` while nothing can be learned from decisions: patterns are queued all the
    same then.
    """

    now: Callable[[], float]
    timings: Timings
    observers: Observers
    supervisor: Supervisor
    readiness: Readiness
    database: Availability
    pages: Availability
    telling: Availability
    results: Availability
    ruling: Availability
    learning: Availability
    intake: Intake
    recovery: Recovery
    silence: Silence
    reception: Reception
    payloads: Payloads
    quarantined: asyncio.Event

    @classmethod
    def build(cls, now: Callable[[], float], timings: Timings) -> "Core":
        """Build everything that needs no settings."""
        observers = Observers.build(now, timings)
        emit = observers.emit
        database = Availability(now, lambda why: emit(DatabaseLost(why)), lambda took: emit(DatabaseBack(took)))
        pages = Availability(now, lambda why: emit(PagesStale(why)), lambda took: emit(PagesCurrent(took)))
        telling = Availability(now, lambda why: emit(TellingStopped(why)), lambda took: emit(TellingResumed(took)))
        results = Availability(now, lambda why: emit(ResultsStopped(why)), lambda took: emit(ResultsResumed(took)))
        ruling = Availability(now, lambda why: emit(RulingStopped(why)), lambda took: emit(RulingResumed(took)))
        learning = Availability(now, lambda why: emit(LearningStopped(why)), lambda took: emit(LearningResumed(took)))
        intake = Intake(now)
        recovery = Recovery(now, emit, timings.settle_seconds, intake)
        silence = Silence(now, emit, recovery.deafened, database.is_lost, timings.blind_after_seconds)
        return cls(
            now=now,
            timings=timings,
            observers=observers,
            supervisor=Supervisor(now, lambda: retry_backoff(timings)),
            readiness=Readiness(emit, observers.manager, database.lost_seconds, timings.start_outage_seconds),
            database=database,
            pages=pages,
            telling=telling,
            results=results,
            ruling=ruling,
            learning=learning,
            intake=intake,
            recovery=recovery,
            silence=silence,
            reception=Reception(now, emit, silence, recovery.deafened),
            payloads=Payloads(intake, recovery, emit),
            quarantined=asyncio.Event(),
        )

    @property
    def emit(self) -> Emit:
        """Return the subscribers of facts."""
        return self.observers.emit

    def activity(self, service: type[Service]) -> Activity:
        """Return the activity of a service that needs the database."""
        return self.supervisor.activity(service, self.database)


def retry_backoff(timings: Timings) -> Backoff:
    """Return a backoff for attempts that a lost database makes fail."""
    return Backoff(random.random, timings.retry_base_seconds, timings.retry_cap_seconds)
