"""What a scan did, added up."""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from pattern_sync.domain.identity import RowId

# A scan of a million patterns must not hold a million names; a person reads the first few.
KEPT_SIGNATURES = 200
KEPT_ERRORS = 20


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Result of one scan; `total_candidates` = synced + skipped + errors + remaining.

    Skipped candidates are in the queue already; remaining ones were left out by the cap. A dry run counts what it would
    have done. `synced_pattern_ids` holds at most 200 signatures, best impact first. `errors` holds at most 20 messages
    with the server's reasons, and `failed_pattern_ids` their signatures.
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

    @property
    def counts(self) -> dict[str, int]:
        """Return every count by its public name, `total_candidates` first."""
        counted = [item.name for item in fields(self) if item.name.endswith("_count")]
        return {name: getattr(self, name) for name in ("total_candidates", *counted)}

    @property
    def remembered(self) -> dict[str, float]:
        """Return the recorded figures, by the columns of pattern_sync.runs."""
        counts = {name.removesuffix("_count"): count for name, count in self.counts.items()}
        del counts["gone"]
        return {"duration_ms": self.sync_duration_ms, "errors": counts.pop("error"), **counts}

    def to_dict(self) -> dict[str, object]:
        """Return every figure under its public name, `total_candidates` included."""
        return {"total_candidates": self.total_candidates, **asdict(self)}


@dataclass(frozen=True, slots=True)
class QueuedPage:
    """Result of one step of queueing missing patterns.

    `candidates` qualify, `missing` of them had no entry, `refused` of those wait in the quarantine; `handled` of the
    others were tried. `held` are row ids of patterns that somebody has locked. Signatures and reasons are the first
    few. `begun` is the start of the scan by the server's clock.
    """

    candidates: int
    missing: int
    refused: int
    handled: int
    queued: int
    failed: int
    held: tuple[RowId, ...]
    queued_signatures: tuple[str, ...]
    failed_signatures: tuple[str, ...]
    failed_reasons: tuple[str, ...]
    finished: bool
    begun: datetime | None = None

    @property
    def taken(self) -> int:
        """Return how many of the tried patterns are in the queue now, or no longer belong there."""
        return self.handled - self.failed - len(self.held)


@dataclass(frozen=True, slots=True)
class RefreshedPage:
    """Result of one step of refreshing: stale entries found, entries written, and the row id to continue after."""

    listed: int
    refreshed: int
    refreshed_signatures: tuple[str, ...]
    last_id: RowId | None


@dataclass(frozen=True, slots=True)
class MissingPreview:
    """What queueing missing patterns would find: `listed` within the cap, `signatures` the first 200 of these."""

    candidates: int
    missing: int
    listed: int
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retried:
    """Result of trying quarantined patterns again: `refused` are left, for `reasons` (the latest few)."""

    tried: int
    failed: int
    refused: int
    reasons: tuple[str, ...]
    queued_signatures: tuple[str, ...]
    refreshed_signatures: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """Adds up the steps of one scan in bounded memory."""

    steps: int = 0
    candidates: int = 0
    missing: int = 0
    refused: int = 0
    handled: int = 0
    queued: int = 0
    failed: int = 0
    refreshed: int = 0
    held: int = 0
    signatures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed_signatures: list[str] = field(default_factory=list)

    def add(self, page: QueuedPage) -> None:
        """Add one step; the first one counts the work to do."""
        if not self.steps:
            self.candidates, self.missing, self.refused = page.candidates, page.missing, page.refused
        self.steps += 1
        self.handled += page.handled
        self.queued += page.queued
        self.failed += page.failed
        self.held += len(page.held)
        self.signatures += page.queued_signatures[: KEPT_SIGNATURES - len(self.signatures)]
        for signature, reason in zip(page.failed_signatures, page.failed_reasons, strict=True):
            if len(self.errors) < KEPT_ERRORS:
                self.errors.append(f"{signature}: {reason}")
                self.failed_signatures.append(signature)

    def result(self, *, gone: int, duration_ms: float) -> SyncResult:
        """Return the sum; quarantined patterns count as errors, locked ones as remaining."""
        errors = self.failed + self.refused
        left_over = max(0, self.missing - self.refused - self.handled)
        faster = max(0, self.handled - self.queued - self.failed - self.held)
        if self.refused and not self.errors:
            self.errors.append(f"{self.refused} refused before and tried again later; `pattern-sync status` names them")
        return SyncResult(
            synced_count=self.queued,
            refreshed_count=self.refreshed,
            skipped_count=self.candidates - self.missing + faster,
            error_count=errors,
            remaining_count=left_over + self.held,
            gone_count=gone,
            synced_pattern_ids=tuple(self.signatures),
            errors=tuple(self.errors),
            failed_pattern_ids=tuple(self.failed_signatures),
            sync_duration_ms=duration_ms,
        )
