"""Facts: what happened, for log, health and metrics. The daemon works the same without a subscriber."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pattern_sync.domain.decision import ReviewAction, ReviewResult
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.messages import MessageKind, MessageState
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.outcomes import PatternOutcome
from pattern_sync.domain.reception import SessionEnd, TriggerFault
from pattern_sync.domain.results import Retried, SyncResult
from pattern_sync.domain.rules import RuleState, RuleVerdict
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.statistics import MissingIndex, PendingEntries, Publication


class Fact:
    """Base of all facts. Times are seconds of the shared monotonic clock."""

    __slots__ = ()


Emit = Callable[[Fact], None]


@dataclass(frozen=True, slots=True)
class DaemonReady(Fact):
    """The first catch-up is done."""


@dataclass(frozen=True, slots=True)
class StartedInOutage(Fact):
    """The database has been unavailable since the start, so the service manager no longer waits for the catch-up."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class DaemonStopping(Fact):
    """A stop was requested; `patterns` still wait to be reconciled."""

    patterns: int


@dataclass(frozen=True, slots=True)
class DrainTimedOut(Fact):
    """The drain reached its deadline; the next start's catch-up reconciles the remaining `patterns`."""

    patterns: int


@dataclass(frozen=True, slots=True)
class DaemonStopped(Fact):
    """The stop is complete."""


@dataclass(frozen=True, slots=True)
class SettingsReloaded(Fact):
    """A reload published its filter; `changed` is False if that filter was already in force."""

    filter: str
    changed: bool


@dataclass(frozen=True, slots=True)
class ReloadRefused(Fact):
    """A reload read unusable settings and changed nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReloadDeferred(Fact):
    """A reload read a filter that can be published only when the database is back."""

    filter: str


@dataclass(frozen=True, slots=True)
class SettingsUnread(Fact):
    """A reload met settings that take effect only at the next start."""

    reason: str


@dataclass(frozen=True, slots=True)
class ServiceHanging(Fact):
    """Some services make no progress; the daemon stops notifying the watchdog."""

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedServerRestarted(Fact):
    """The embedded server had ended and runs again."""

    reason: str


@dataclass(frozen=True, slots=True)
class DatabaseReached(Fact):
    """A server accepted a connection that is unlike the last one: the first, or one after a fail-over.

    `user` is the role in effect, `encryption` a version of TLS.
    """

    server: str
    server_version: str
    database: str
    user: str
    encryption: str | None


@dataclass(frozen=True, slots=True)
class DatabaseLost(Fact):
    """The first service found that the database cannot be used."""

    reason: str


@dataclass(frozen=True, slots=True)
class DatabaseBack(Fact):
    """Every service can use the database again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class SchemaRead(Fact):
    """The schema has this version, which was not known before; this daemon's own is `own_version`."""

    version: int
    own_version: int


@dataclass(frozen=True, slots=True)
class FilterPublished(Fact):
    """The triggers and all daemons use this filter from now on."""

    filter: SyncFilter


@dataclass(frozen=True, slots=True)
class FilterForeign(Fact):
    """Another filter than this daemon's own is in force: a daemon with other settings has published it, or a person."""

    in_force: SyncFilter
    own: SyncFilter
    publication: Publication | None


@dataclass(frozen=True, slots=True)
class FilterOwn(Fact):
    """This daemon's own filter is in force again."""

    filter: SyncFilter


@dataclass(frozen=True, slots=True)
class IndexMissing(Fact):
    """A large table of the application lacks an index that would help."""

    index: MissingIndex


@dataclass(frozen=True, slots=True)
class ListenerListening(Fact):
    """A check proved that notifications arrive; `polled_seconds` is how long the daemon polled before, if it did."""

    polled_seconds: float | None


@dataclass(frozen=True, slots=True)
class ListenerLost(Fact):
    """Notifications do not arrive; the daemon polls meanwhile."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionProven(Fact):
    """The LISTEN session answered a heartbeat, and a round trip if one was due."""

    heartbeat_seconds: float
    round_trip_seconds: float | None


@dataclass(frozen=True, slots=True)
class SessionEnded(Fact):
    """The listener lost its session, or did not get one; it connects anew."""

    end: SessionEnd


@dataclass(frozen=True, slots=True)
class NotificationReceived(Fact):
    """A notification arrived."""

    channel: Channel
    kind: NotificationKind


@dataclass(frozen=True, slots=True)
class NotificationIgnored(Fact):
    """A payload is not ours; `shown` is short and printable."""

    shown: str


@dataclass(frozen=True, slots=True)
class TriggersChecked(Fact):
    """The watch has looked; `queue_usage` is the share of the server's notification queue that is in use."""

    queue_usage: float


@dataclass(frozen=True, slots=True)
class TriggersFaulty(Fact):
    """The faults of the triggers changed; `silenced` is True if the daemon polls because of them."""

    faults: tuple[TriggerFault, ...]
    silenced: bool


@dataclass(frozen=True, slots=True)
class TriggersSound(Fact):
    """The triggers have no fault any more."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class TriggersUnseen(Fact):
    """The triggers cannot be checked; the daemon polls meanwhile."""

    reason: str


@dataclass(frozen=True, slots=True)
class TriggersSeen(Fact):
    """The triggers can be checked again."""


@dataclass(frozen=True, slots=True)
class TriggersMended(Fact):
    """The daemon has mended the triggers of one table."""

    relation: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TriggersNotMended(Fact):
    """The daemon could not mend the triggers of one table; it tries again."""

    relation: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotificationQueueFull(Fact):
    """The triggers send nothing, because the server's notification queue is too full; `usage` is a share of 1."""

    usage: float
    blocker_pid: int | None


@dataclass(frozen=True, slots=True)
class NotificationQueueDrained(Fact):
    """There is room in the notification queue again."""


@dataclass(frozen=True, slots=True)
class TableRebuilt(Fact):
    """`operation_patterns` has new storage, partitions or triggers: rows may have arrived without a notification."""


@dataclass(frozen=True, slots=True)
class PatternsReconciled(Fact):
    """The event path reconciled the patterns of some notifications; `gone` more have no row any more.

    `waited_seconds` has, of each pattern that was queued, the time from the arrival of its notification to the commit
    of its entry.
    """

    outcomes: tuple[PatternOutcome, ...]
    milliseconds: float
    gone: int = 0
    waited_seconds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanFinished(Fact):
    """A scan served these kinds of requests."""

    kinds: frozenset[ScanKind]
    result: SyncResult


@dataclass(frozen=True, slots=True)
class PendingCounted(Fact):
    """A catch-up or a sweep counted the pending entries."""

    pending: PendingEntries


@dataclass(frozen=True, slots=True)
class SweepPlanned(Fact):
    """The next sweep begins in `after_seconds`."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class SweepSettled(Fact):
    """The count of patterns that a sweep queued without a notification is final; the sweep ended at `swept_at`."""

    recovered: int
    recovered_total: int
    swept_at: float


@dataclass(frozen=True, slots=True)
class CatchUpSettled(Fact):
    """The count of patterns that a catch-up queued without a notification is final."""

    recovered: int


@dataclass(frozen=True, slots=True)
class EntriesRefreshed(Fact):
    """Pending entries received the current figures of their patterns."""

    entries: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class QuarantineRetried(Fact):
    """Patterns in the quarantine were tried again."""

    retried: Retried


@dataclass(frozen=True, slots=True)
class HttpServing(Fact):
    """The API and the review page are served."""

    url: str


@dataclass(frozen=True, slots=True)
class HttpWaiting(Fact):
    """The API and the review page cannot be served yet; patterns are still queued."""

    reason: str


@dataclass(frozen=True, slots=True)
class HttpCrowded(Fact):
    """A connection that sent no request was closed, because there were too many."""


@dataclass(frozen=True, slots=True)
class HttpOutOfFiles(Fact):
    """A connection could not be accepted: the process has no free file descriptor."""

    reason: str


class RequestFault(Enum):
    """Why a request failed through no fault of the client."""

    REFUSED = "the application or the database refused a decision or a comment"
    UNAVAILABLE = "the database is unavailable"
    UNUSABLE = "the database cannot be used as it is"


@dataclass(frozen=True, slots=True)
class RequestFailed(Fact):
    """A request was answered with an error; `reason` may hold the database's message, which the response leaves out."""

    fault: RequestFault
    method: str
    path: str
    reason: str
    request_id: str


@dataclass(frozen=True, slots=True)
class RequestAnswered(Fact):
    """A request was answered, or a WebSocket refused.

    `route` is the template of its path, `code` the status (or why there is none).
    """

    route: str
    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ReviewActed(Fact):
    """A person, or a program on behalf of one, decided or commented, or tried to; of many entries, so many did."""

    action: ReviewAction
    result: ReviewResult
    count: int = 1


@dataclass(frozen=True, slots=True)
class TokenRefused(Fact):
    """A request came with a wrong token, from this address: the proxy's, where there is one."""

    address: str


@dataclass(frozen=True, slots=True)
class LiveRefused(Fact):
    """A live connection was refused, for a reason that its browser does not tell the page."""

    reason: str
    request_id: str


@dataclass(frozen=True, slots=True)
class PageTooSlow(Fact):
    """An open page was disconnected because it read too slowly."""


@dataclass(frozen=True, slots=True)
class PagesStale(Fact):
    """A service cannot update the review pages; patterns are still queued."""

    reason: str


@dataclass(frozen=True, slots=True)
class PagesCurrent(Fact):
    """The review pages are kept up to date again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class MessageEnded(Fact):
    """An attempt to send a message ended: it is `state` from now on, and open if it is tried again.

    `channel` and `host` name the destination, whose URL is a secret; `reason` holds no word of it.
    """

    message_id: int
    channel: str
    host: str
    kind: MessageKind
    state: MessageState
    attempts: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class MessagesCounted(Fact):
    """How many messages each channel has in each state, and why nothing is sent to some hosts any more."""

    counts: tuple[tuple[str, MessageState, int], ...]
    off: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ModelLearned(Fact):
    """A model was learned from `decisions`, a batch counting once for each shape."""

    model_id: int
    decisions: int


@dataclass(frozen=True, slots=True)
class ModelIgnored(Fact):
    """A model in the database is not used."""

    model_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class GateJudged(Fact):
    """The gate was looked at: predictions are `z` standard errors better than the base rate, and `shown` or not."""

    z: float
    shown: bool


@dataclass(frozen=True, slots=True)
class LikelihoodsShown(Fact):
    """Entries have likelihoods from now on; `words` say why."""

    words: str


@dataclass(frozen=True, slots=True)
class LikelihoodsHidden(Fact):
    """Entries have no likelihoods any more; `words` say why."""

    words: str


@dataclass(frozen=True, slots=True)
class LearningStopped(Fact):
    """Nothing can be learned or foretold."""

    reason: str


@dataclass(frozen=True, slots=True)
class LearningResumed(Fact):
    """The learner is at work again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class TellingStopped(Fact):
    """Messages cannot be planned or sent; patterns are still queued."""

    reason: str


@dataclass(frozen=True, slots=True)
class TellingResumed(Fact):
    """Messages are planned and sent again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class ConfidenceAdjusted(Fact):
    """The confidence of pending entries was set from their results; some are refused, the first one for this reason."""

    adjusted: tuple[str, ...]
    refused: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class ResultsStopped(Fact):
    """Results are not kept up to date; patterns are still queued, and results read as they are."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResultsResumed(Fact):
    """Results are kept up to date again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class RuleDecided(Fact):
    """A rule decided so many patterns together, in a batch that can be undone."""

    rule: str
    version: int
    verdict: RuleVerdict
    patterns: int
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class RulePaused(Fact):
    """A rule has stopped to decide, until a person switches it on again."""

    rule: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class RulesCounted(Fact):
    """How many rules are in each state, and why some are paused."""

    states: tuple[tuple[RuleState, int], ...]
    paused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RulingStopped(Fact):
    """Rules can neither mark nor decide; patterns are still queued, and people decide."""

    reason: str


@dataclass(frozen=True, slots=True)
class RulingResumed(Fact):
    """Rules mark and decide again."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class ManagerUnreachable(Fact):
    """The service manager does not take our messages; the first of a row that it did not take."""

    reason: str
