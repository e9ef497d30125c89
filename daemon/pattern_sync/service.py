"""The blocking Python API."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from decimal import Decimal
from typing import Any

from pattern_sync.accounting import Accounting
from pattern_sync.advising import Advising
from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.advice import AdviceGateway
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.queueing import COMMANDS_PACE, QueueGateway
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.roi import SavingsGateway
from pattern_sync.database.rows.overview import to_overview, to_schema_version
from pattern_sync.database.telling import TellingGateway
from pattern_sync.database.version import check_version
from pattern_sync.domain.advice import Advice
from pattern_sync.domain.batches import Batch, DecisionMany, LoggedDecision, Progress, Undone
from pattern_sync.domain.decision import Decision, Verdict, to_verdict
from pattern_sync.domain.entry import HistoryItem, QueueCounts, QueueEntry, Status
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.groups import EntryGroup, Selection, SimilarEntry
from pattern_sync.domain.listing import Group, Grouping, Listing, Order, Snoozed
from pattern_sync.domain.messages import MessageState, NotedMessage
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.roi import PatternRoi, Roi
from pattern_sync.domain.rule_trial import RuleTrial
from pattern_sync.domain.rules import Rule, RuleMark, VetoOutcome
from pattern_sync.domain.savings import Execution, Recorded, Saving, to_usd
from pattern_sync.domain.snoozing import Wish
from pattern_sync.domain.standing import Standing
from pattern_sync.domain.statistics import Overview, SyncStatistics
from pattern_sync.learning import Learning, Likelihood
from pattern_sync.review import Decisions, Finding, Review, Snoozing
from pattern_sync.ruling import Reverted, Rules, RuleView
from pattern_sync.runtime.host import host_at
from pattern_sync.runtime.ruling import build_rules
from pattern_sync.sync.manual import ManualSync
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.telling import Messages


class PatternSyncService:
    """Reconciles and reviews from a program without an event loop; each call opens its own connection.

    Without a URL, it uses the database that the settings name, as every command does. If they name none, each call
    starts or shares the embedded server. Rules can be switched on unless these settings, or `rules_allowed`, say no.
    Raises InvalidSettings. Every method raises DatabaseUnavailable, AccessRefused
    or SchemaError, all of them PatternSyncError.
    """

    def __init__(self, database_url: str | None = None, *, rules_allowed: bool = True) -> None:
        settings = Settings.load() if database_url is None else None
        if settings:
            database_url = settings.url()
        self._address = None if database_url is None else DatabaseAddress.parse(database_url)
        self._data_dir = settings.data_dir if settings else None
        self._rules_forbidden = not (rules_allowed and (settings is None or settings.rules))

    def sync_patterns(
        self,
        sync_filter: SyncFilter | None = None,
        *,
        dry_run: bool = False,
        on_progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> SyncResult:
        """Queue the patterns that pass the filter and have no entry, best impact first.

        Without a filter: confidence 60, occurrences 2, any savings, at most 50 patterns. A dry run writes nothing.
        `on_progress` receives the number of handled patterns and the number of all.
        """
        wanted = SyncFilter.manual() if sync_filter is None else sync_filter
        with self._connect() as database:
            session = BlockingSession(database)
            queue = QueueGateway(session, session.notify_pages, COMMANDS_PACE)
            manual = ManualSync(Reconciler(queue, time.monotonic), queue)
            with database.transaction(read_only=True) if dry_run else nullcontext():
                return run_blocking(manual.run(wanted, dry_run=dry_run, on_progress=on_progress))

    def sync_high_priority_patterns(self, *, dry_run: bool = False) -> SyncResult:
        """Queue the best 20 of the patterns with 70 % confidence, 5 occurrences and 1,000 USD a month."""
        return self.sync_patterns(SyncFilter.high_priority(), dry_run=dry_run)

    def sync_all_patterns(self, *, dry_run: bool = False) -> SyncResult:
        """Queue the best 200 of all eligible patterns."""
        return self.sync_patterns(SyncFilter.everything(), dry_run=dry_run)

    def get_sync_statistics(self) -> SyncStatistics:
        """Return the counts of the patterns and of the queue entries."""
        with self._reviews() as gateway:
            return run_blocking(gateway.statistics())

    def explain(self, signature: str) -> Explanation:
        """Return why a pattern is or is not in the queue, by the filter in force."""
        with self._reviews() as gateway:
            return run_blocking(Review(gateway).explanation(signature))

    def overview(self) -> Overview:
        """Return everything that `pattern-sync status` shows."""
        with self._open() as (address, database), database.transaction(read_only=True):
            return to_overview(str(address), database.fetch)

    def list_entries(
        self,
        status: Status | None = Status.PENDING,
        limit: int = 20,
        *,
        query: str = "",
        sort: str = "impact",
        offset: int = 0,
        snoozed: Snoozed = Snoozed.SHOW,
    ) -> tuple[QueueEntry, ...]:
        """Return at most `limit` entries of one status (None: any).

        They are in the order of `sort`, best impact first by default. `query` is in the language of the page's search
        field. Raises InvalidInput, and NothingLearned for the sort `expected`.
        """
        listing = Listing(status, query, Order.parse(sort), snoozed, skipped=offset)
        with self._reviews() as gateway:
            return run_blocking(Review(gateway).page(listing, limit)).entries

    def groups(
        self, by: Grouping, status: Status = Status.PENDING, limit: int = 100, *, query: str = ""
    ) -> tuple[EntryGroup, ...]:
        """Return the groups of the entries of one status, those worth most first. Raises InvalidInput."""
        with self._reviews() as gateway:
            finding = Finding(gateway, Review(gateway))
            return run_blocking(finding.groups(Listing(status, query), by, limit)).groups

    def select(self, query: str = "", status: Status = Status.PENDING, *, kind: str | None = None) -> Selection:
        """Return the names of all entries of one status that a query finds, at most 10,000, and what they are worth.

        With a kind, as `groups` names it, only those of this kind. `decide_many` takes the names. Raises InvalidInput.
        """
        group = None if kind is None else Group(Grouping.KIND, kind)
        with self._reviews() as gateway:
            return run_blocking(Finding(gateway, Review(gateway)).selection(Listing(status, query, group=group)))

    def similar(self, signature: str, limit: int = 20) -> tuple[SimilarEntry, ...]:
        """Return the pending entries of the same kind whose tools are mostly the same. Raises UnknownPattern."""
        with self._reviews() as gateway:
            return tuple(run_blocking(Finding(gateway, Review(gateway)).similar(signature, limit)))

    def get_entry(self, signature: str) -> tuple[QueueEntry, tuple[HistoryItem, ...]]:
        """Return one entry and its history, oldest first. Raises UnknownPattern."""
        with self._reviews() as gateway:
            review = Review(gateway)
            return run_blocking(review.entry(signature)), tuple(run_blocking(review.history(signature)))

    def get_review_statistics(self) -> QueueCounts:
        """Return the number of entries in each status."""
        with self._reviews() as gateway:
            return run_blocking(Review(gateway).counts())

    def approve(
        self,
        signature: str,
        notes: str | None = None,
        *,
        reviewer: str | None = None,
        replaces: Status = Status.PENDING,
    ) -> QueueEntry:
        """Approve a pattern and return its entry.

        Raises UnknownPattern, InvalidInput, AlreadyDecided if the entry's status is not `replaces`, and DecisionRefused
        if a trigger or policy of the application, or the database, refuses the decision.
        """
        return self._decide(signature, Decision(Verdict.APPROVED, notes, reviewer, replaces))

    def reject(
        self, signature: str, reason: str, *, reviewer: str | None = None, replaces: Status = Status.PENDING
    ) -> QueueEntry:
        """Reject a pattern and return its entry; raises as `approve` does."""
        return self._decide(signature, Decision(Verdict.REJECTED, reason, reviewer, replaces))

    def decide_many(
        self,
        signatures: Sequence[str],
        decision: Verdict | str,
        reason: str | None = None,
        *,
        reviewer: str | None = None,
        replaces: Status = Status.PENDING,
        dry_run: bool = False,
    ) -> DecisionMany:
        """Decide exactly these patterns, at most 10,000, and return an outcome for each; a dry run writes nothing.

        Raises InvalidInput, and DecisionRefused if the database refuses the request as a whole.
        """
        made = Decision(to_verdict(decision), reason, reviewer, replaces)
        with self._decisions() as decisions:
            return run_blocking(decisions.decide_many(signatures, made, dry_run=dry_run))

    def undo(self, batch_id: int, *, reviewer: str | None = None) -> Undone:
        """Take back the decisions of a batch that nobody has touched since, for seven days.

        Raises UnknownBatch, NotUndoable, InvalidInput, DecisionRefused.
        """
        with self._decisions() as decisions:
            return run_blocking(decisions.undo(batch_id, reviewer))

    def snooze(
        self,
        signature: str,
        until: datetime | None = None,
        *,
        until_doubled: bool = False,
        reviewer: str | None = None,
        reason: str | None = None,
    ) -> QueueEntry:
        """Put a pending entry off, until a time with a zone or until its savings have doubled, and return it.

        Raises UnknownPattern, InvalidInput, AlreadyDecided, NotSnoozable.
        """
        wish = Wish(until, until_doubled, reviewer, reason)
        with self._reviews() as gateway:
            return run_blocking(Snoozing(gateway).snooze(signature, wish))

    def wake(self, signature: str) -> QueueEntry:
        """End the snooze of an entry, if there is one, and return the entry. Raises UnknownPattern."""
        with self._reviews() as gateway:
            return run_blocking(Snoozing(gateway).wake(signature))

    def batches(self, reviewer: str | None = None, limit: int = 20) -> tuple[Batch, ...]:
        """Return the last batches of decisions, newest first; a single decision is a batch of one."""
        with self._decisions() as decisions:
            return tuple(run_blocking(decisions.batches(reviewer, limit)))

    def decision_log(
        self, reviewer: str | None = None, since: datetime | None = None, limit: int = 50, *, offset: int = 0
    ) -> tuple[LoggedDecision, ...]:
        """Return the last decisions of the record, newest first, after the first `offset` of them."""
        with self._decisions() as decisions:
            return tuple(run_blocking(decisions.log(reviewer, since, limit, offset)))

    def progress(self, reviewer: str | None = None, since: datetime | None = None) -> Progress:
        """Return how many decisions were made today, or since a moment, and how many entries wait.

        Today begins at midnight of the database's time zone. What was undone does not count.
        """
        with self._decisions() as decisions:
            return run_blocking(decisions.progress(reviewer, since))

    def comment(self, signature: str, comment: str, *, reviewer: str | None = None) -> str:
        """Add a comment and return the reviewer's name. Raises UnknownPattern, InvalidInput, DecisionRefused."""
        with self._reviews() as gateway:
            return run_blocking(Review(gateway).comment(signature, comment, reviewer))

    def advice(self) -> Advice:
        """Return what higher bounds would have shown and lost of the decisions so far."""
        with self._advising() as advising:
            return run_blocking(advising.advice())

    def model(self) -> Standing:
        """Return what was learned from decisions, how well it foretold later ones, and whether it may be shown."""
        with self._learning() as learning:
            return run_blocking(learning.standing())

    def likelihood(self, signature: str) -> Likelihood:
        """Return how likely a person approves an entry, and the reasons in words. Raises UnknownPattern."""
        with self._learning() as learning:
            return run_blocking(learning.likelihood(signature))

    def nearest(self, limit: int = 5) -> tuple[Explanation, ...]:
        """Return the patterns that miss the filter in force by least, each with what it misses."""
        with self._advising() as advising:
            return tuple(run_blocking(advising.nearest(limit)))

    def queue(self, signature: str, *, reviewer: str | None = None) -> str:
        """Put a pattern into the queue although it does not qualify; return the name under which that was noted.

        Raises UnknownPattern if there is no such pattern, CannotQueue if it has an entry, was rejected before or is not
        eligible, InvalidInput for the name, and StatementFailed if the application refuses the entry.
        """
        with self._advising() as advising:
            return run_blocking(advising.queue(signature, reviewer))

    def messages(self, state: MessageState | None = None, limit: int = 50) -> tuple[NotedMessage, ...]:
        """Return the messages to people of the last 30 days, newest first, of one state (None: any)."""
        with self._messages() as messages:
            return tuple(run_blocking(messages.latest(state, limit)))

    def retry_message(self, message_id: int) -> None:
        """Have a daemon send a message once more that was given up, or that waits. Raises UnknownMessage."""
        with self._messages() as messages:
            run_blocking(messages.retry(message_id))

    def roi(self) -> Roi:
        """Return what approved patterns have saved, beside what they promised."""
        with self._accounting() as accounting:
            return run_blocking(accounting.roi())

    def roi_of(self, signature: str) -> PatternRoi:
        """Return the results of one pattern, whatever was decided on it. Raises UnknownPattern."""
        with self._accounting() as accounting:
            return run_blocking(accounting.roi_of(signature))

    def record_savings(
        self,
        signature: str,
        usd: Decimal | float | str,
        workflow: str,
        *,
        tool_call: str | None = None,
        saved_at: datetime | None = None,
        baseline_tokens: int | None = None,
        actual_tokens: int | None = None,
        notes: str | None = None,
    ) -> Recorded:
        """Record what one run of an automated pattern has saved, in USD; less than 0 if it cost more than before.

        The same workflow (and tool call) in the same second counts once. `saved_at` is a time with a zone, now without
        it. Raises UnknownPattern, InvalidInput, and StatementFailed if the application refuses the row.
        """
        saving = Saving(to_usd("usd", usd), workflow, tool_call, saved_at, baseline_tokens, actual_tokens, notes)
        with self._accounting() as accounting:
            return run_blocking(accounting.record(signature, saving))

    def record_execution(self, execution: Execution) -> int:
        """Record one execution as the application does, and return its id; raises as `record_savings` does."""
        with self._accounting() as accounting:
            return run_blocking(accounting.record_execution(execution))

    @contextmanager
    def _accounting(self) -> Iterator[Accounting]:
        with self._connect() as database:
            yield Accounting(SavingsGateway(BlockingSession(database).fetch))

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules, by name."""
        with self._ruling() as rules:
            return tuple(run_blocking(rules.all()))

    def get_rule(self, name: str) -> RuleView:
        """Return one rule with people's agreement, its marks, and what it did. Raises UnknownRule."""
        with self._ruling() as rules:
            return run_blocking(rules.show(name))

    def set_rule(self, name: str, *, reviewer: str | None = None, **terms: Any) -> Rule:  # noqa: ANN401 - of RuleTerms
        """Write a rule, or change some of its terms (fields of RuleTerms), and return it.

        A new rule is off; one that was on watches again. Raises InvalidInput, RuleRefused.
        """
        with self._ruling() as rules:
            return run_blocking(rules.set(name, terms, reviewer))

    def try_rule(self, name: str, since: datetime | None = None) -> RuleTrial:
        """Return what a rule would have decided of what people decided since a time; nothing is written."""
        with self._ruling() as rules:
            return run_blocking(rules.trial(name, since))

    def watch_rule(self, name: str, *, reviewer: str | None = None) -> Rule:
        """Have a rule mark what it would decide, and decide nothing. Raises UnknownRule, RuleRefused."""
        with self._ruling() as rules:
            return run_blocking(rules.watch(name, reviewer))

    def turn_rule_on(self, name: str, *, reviewer: str | None = None) -> Rule:
        """Have a rule decide. Raises UnknownRule, and RuleRefused until people agree with it as much as it needs."""
        with self._ruling() as rules:
            return run_blocking(rules.turn_on(name, reviewer))

    def turn_rule_off(self, name: str, *, reviewer: str | None = None) -> Rule:
        """Have a rule do nothing. Raises UnknownRule."""
        with self._ruling() as rules:
            return run_blocking(rules.turn_off(name, reviewer))

    def revert_rule(self, name: str, since: datetime | None = None, *, reviewer: str | None = None) -> Reverted:
        """Take back what a rule has decided since a time, seven days at most, and pause it if it is on.

        Raises UnknownRule, InvalidInput, RuleRefused if there is nothing to take back.
        """
        with self._ruling() as rules:
            return run_blocking(rules.revert(name, since, reviewer))

    def rule_marks(self, limit: int = 100) -> tuple[RuleMark, ...]:
        """Return the pending entries that rules would decide, those due first."""
        with self._ruling() as rules:
            return tuple(run_blocking(rules.marks(limit)))

    def veto(self, signature: str, *, reviewer: str | None = None, reason: str | None = None) -> VetoOutcome:
        """Object to what rules are about to decide of a pattern, so that none of them ever does.

        Raises UnknownPattern, InvalidInput, RuleRefused if no rule is about to decide it.
        """
        with self._ruling() as rules:
            return run_blocking(rules.veto(signature, reviewer, reason))

    @contextmanager
    def _ruling(self) -> Iterator[Rules]:
        with self._connect() as database:
            yield build_rules(BlockingSession(database).fetch, forbidden=self._rules_forbidden)

    @contextmanager
    def _messages(self) -> Iterator[Messages]:
        with self._connect() as database:
            yield Messages(TellingGateway(BlockingSession(database).fetch))

    @contextmanager
    def _learning(self) -> Iterator[Learning]:
        with self._connect() as database:
            yield Learning(LearningGateway(BlockingSession(database).fetch))

    @contextmanager
    def _advising(self) -> Iterator[Advising]:
        with self._connect() as database:
            yield Advising(AdviceGateway(BlockingSession(database).fetch))

    def _decide(self, signature: str, decision: Decision) -> QueueEntry:
        with self._reviews() as gateway:
            return run_blocking(Review(gateway).decide(signature, decision))

    @contextmanager
    def _reviews(self) -> Iterator[ReviewGateway]:
        with self._connect() as database:
            yield ReviewGateway(BlockingSession(database).fetch, keeps_traits=True)

    @contextmanager
    def _decisions(self) -> Iterator[Decisions]:
        with self._reviews() as gateway:
            yield Decisions(gateway)

    @contextmanager
    def _connect(self) -> Iterator[BlockingDatabase]:
        with self._open() as (_, database):
            yield database

    @contextmanager
    def _open(self) -> Iterator[tuple[DatabaseAddress, BlockingDatabase]]:
        with (
            host_at(self._address, self._data_dir) as host,
            BlockingDatabase.connect(host.address) as database,
            database.naming_grants(),
        ):
            check_version(to_schema_version(database.fetch("schema_version")))
            yield host.address, database
