"""What a run over the patterns did, added up."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from pattern_sync.domain.outcomes import Outcome, PatternOutcome

# A run over a million patterns must not hold a million names; a person reads the first few.
KEPT_SIGNATURES = 200
KEPT_ERRORS = 20


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Result of one run; `total_candidates` = synced + skipped + errors + remaining.

    Skipped are the candidates that are in the queue already, remaining those that the cap left out. A dry run counts
    what it would have done. `synced_pattern_ids` holds signatures, best impact first, at most the first 200. `errors`
    holds at most 20 messages, with what the database itself said, `failed_pattern_ids` the signatures they are about.
    """

    synced_count: int = 0
    refreshed_count: int = 0
    skipped_count: int = 0
    error_count: int = 0
    remaining_count: int = 0
    gone_count: int = 0
    synced_pattern_ids: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    failed_pattern_ids: tuple[str, ...] = ()
    sync_duration_ms: float = 0.0
    dry_run: bool = False

    @property
    def total_candidates(self) -> int:
        """Return how many patterns qualified."""
        return self.synced_count + self.skipped_count + self.error_count + self.remaining_count

    def to_dict(self) -> dict[str, object]:
        """Return every figure under its public name, `total_candidates` included."""
        return {"total_candidates": self.total_candidates, **asdict(self)}


@dataclass(slots=True)
class Tally:
    """Adds up the outcomes of one run in bounded memory."""

    queued: int = 0
    refreshed: int = 0
    already_queued: int = 0
    failed: int = 0
    signatures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed_signatures: list[str] = field(default_factory=list)

    def add_missing(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Count patterns that qualified and had no entry when the run looked for them."""
        for item in outcomes:
            match item.outcome:
                case Outcome.QUEUED:
                    self.queued += 1
                    if len(self.signatures) < KEPT_SIGNATURES:
                        self.signatures.append(item.signature)
                case Outcome.FAILED:
                    self.add_failure(item)
                case Outcome.REFRESHED | Outcome.UNCHANGED | Outcome.DECIDED:
                    self.already_queued += 1  # somebody else was faster
                case Outcome.SHORT | Outcome.GONE:
                    pass  # no longer a candidate

    def add_stale(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Count pending entries whose figures were behind; they are no candidates of this run."""
        for item in outcomes:
            self.refreshed += item.outcome is Outcome.REFRESHED

    def add_failure(self, item: PatternOutcome) -> None:
        """Count a poison row."""
        self.failed += 1
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(f"{item.signature}: {item.error}")
            self.failed_signatures.append(item.signature)
