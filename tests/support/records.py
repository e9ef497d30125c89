"""Records of the domain, complete but for what a test says of them."""

from pattern_sync.domain.entry import QueueEntry
from tests.support.seed import NO_EVIDENCE


def entry(pattern_id: str, status: str = "pending", impact: float = 1.0) -> QueueEntry:
    """Return an entry of the queue."""
    return QueueEntry(
        pattern_id=pattern_id,
        tool_sequence="Read",
        status=status,
        confidence_score=0.85,
        occurrence_count=5,
        estimated_savings_usd=1000.0,
        impact_score=impact,
        pattern_context=None,
        example_sessions=(),
        reviewed_by=None,
        reviewed_at=None,
        approval_notes=None,
        created_at=None,
        evidence=NO_EVIDENCE,
        snooze=None,
        mark=None,
        likelihood=None,
        folded=False,
    )
