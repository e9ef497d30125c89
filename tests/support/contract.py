"""The names that the application's panel uses, listed literally: a change of one breaks the panel."""

ENTRY_FIELDS = {
    "pattern_id",
    "tool_sequence",
    "status",
    "confidence_score",
    "occurrence_count",
    "estimated_savings_usd",
    "impact_score",
    "pattern_context",
    "example_sessions",
    "reviewed_by",
    "reviewed_at",
    "approval_notes",
    "created_at",
    # Ours; the panel does not use them.
    "evidence",
    "folded",
    "from_pattern",
    "likelihood",
    "mark",
    "snooze",
}
REPORT_FIELDS = {
    "total_candidates",
    "synced_count",
    "refreshed_count",
    "skipped_count",
    "error_count",
    "remaining_count",
    "gone_count",
    "synced_pattern_ids",
    "errors",
    "failed_pattern_ids",
    "sync_duration_ms",
    "dry_run",
}
