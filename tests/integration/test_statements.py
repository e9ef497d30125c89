"""Every statement against the migrated schema: parameters, columns, both drivers."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg
import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync.database.definitions import load_definitions
from pattern_sync.database.rows import to_json
from pattern_sync.database.rows.queue import run_argument
from pattern_sync.database.statements import load_statements
from pattern_sync.database.version import SCHEMA_VERSION
from pattern_sync.domain.batches import Batch, LoggedDecision
from pattern_sync.domain.entry import HistoryItem, QueueCounts, QueueEntry
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.rules import RuleCounts, RuleEvent, RuleLook, RuleMark, RuleTerms, RuleVerdict
from pattern_sync.domain.statistics import ConnectedDaemon, Recoveries, Run, SyncStatistics
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

pytestmark = pytest.mark.lived_in_too
FILTER = ("float8", "int8", "float8", "text[]", "text[]", "float8", "int8")
ENTRY: Mapping[str, str] = {
    "pattern_id": "text",
    "tool_sequence": "text",
    "status": "text",
    "confidence_score": "float8",
    "occurrence_count": "int8",
    "estimated_savings_usd": "float8",
    "impact_score": "float8",
    "pattern_context": "text",
    "example_sessions": "text",
    "reviewed_by": "text",
    "reviewed_at": "timestamptz",
    "approval_notes": "text",
    "created_at": "timestamptz",
    "evidence": "text",
    "snooze": "text",
    "mark": "text",
    "likelihood": "float8",
    "folded": "bool",
    "from_pattern": "bool",
}
TRAITS: Mapping[str, str] = {
    "confidence": "float8",
    "occurrences": "int8",
    **dict.fromkeys(["savings", "evidence", "workflows", "days_seen"], "float8"),
    **dict.fromkeys(["kind", "target", "shape"], "text"),
}
# What rows.py reads and what the gateways pass, listed literally.
EXPECTED: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "schema_version": ((), {"newest": "int4", "compatible_from": "int4"}),
    "read_filter": (
        (),
        {
            "min_confidence": "float8",
            "min_occurrences": "int8",
            "min_savings": "float8",
            "only_types": "text[]",
            "exclude_types": "text[]",
            "max_age_days": "float8",
            "min_workflows": "int8",
        },
    ),
    "publication": ((), {"published_at": "timestamptz", "published_by": "text"}),
    "publish_filter": (FILTER, {"changed_at": "timestamptz"}),
    "record_run": (("text",), {}),
    "lock_installation": ((), {"pg_advisory_xact_lock": "void"}),
    "set_lock_timeout": (("text",), {"set_config": "text"}),
    "set_search_path": (("text",), {"set_config": "text"}),
    "application_schemas": (
        (),
        {"schema_name": "text", "visible": "bool", "announced": "bool", "looked_into": "bool"},
    ),
    "current_schema": ((), {"schema_name": "text"}),
    "application_relations": (
        ("text",),
        {"table_name": "text", "kind": "text", "owner": "text", "owned": "bool"},
    ),
    "column_faults": (("text",), {"table_name": "text", "column_name": "text", "fault": "text"}),
    "unfilled_columns": (("text",), {"table_name": "text", "column_name": "text"}),
    "queue_keys": (("text",), {"key_name": "text", "fault": "text"}),
    "catch_all_publications": ((), {"publication": "text"}),
    "own_schema": (
        (),
        {
            "owner": "text",
            **dict.fromkeys(["owned", "ours", "vacant", "may_create"], "bool"),
            "role": "text",
            "database": "text",
        },
    ),
    "own_tables": ((), {"table_name": "text", "readable": "bool"}),
    "filter_is_there": ((), {"present": "bool"}),
    "inventory": (("text[]",), {"thing": "text", "digest": "text"}),
    "wrongly_owned": (("text[]", "text[]", "text"), {"found": "bool"}),
    "readers_without_grants": (("text", "text[]"), {"role": "text"}),
    "foreign_objects": (("text[]", "text[]"), {"described": "text"}),
    "install_trigger": (("text",), {"install_trigger": "void"}),
    "statistics": (
        (),
        dict.fromkeys(
            ["patterns_in_source", "patterns_in_review", "pending_sync", "qualifying", "qualifying_missing"], "int8"
        ),
    ),
    "queue_counts": (
        (),
        {
            **dict.fromkeys(["pending", "approved", "rejected", "auto_approved", "auto_rejected", "total"], "int8"),
            **dict.fromkeys(["claimed_usd", "shown_usd"], "float8"),
        },
    ),
    "queue_fingerprint": ((), {"fingerprint": "text"}),
    "entries": (
        ("text[]",),
        ENTRY,
    ),
    "listed": (
        ("text", "text", "text", "timestamptz", "text", "bool", "float8", "text", "int8", "int8"),
        {"rank": "float8", "found_id": "text", **ENTRY},
    ),
    "prepare_to_find": (("bool",), {"can_find": "bool"}),
    "count_listed": (("text", "text", "text", "timestamptz"), {"total": "int8"}),
    "keep_traits": (("text[]", "int8"), {"kept": "int8"}),
    "listed_ids": (
        ("text", "text", "text", "timestamptz", "text", "bool", "float8", "text", "int8", "int8"),
        {"pattern_id": "text"},
    ),
    "sum_listed": (
        ("text", "text", "text", "timestamptz"),
        {"entries": "int8", "savings": "float8", "evidence": "float8"},
    ),
    "groups": (
        ("text", "text", "text", "timestamptz", "text", "int8"),
        {
            "key": "text",
            "entries": "int8",
            **dict.fromkeys(["savings", "evidence", "min_savings", "max_savings"], "float8"),
            **dict.fromkeys(["min_confidence", "max_confidence"], "float8"),
            "flags": "text",
            **dict.fromkeys(["approved_before", "decided_before", "total"], "int8"),
        },
    ),
    "of_the_same_kind": (("text", "text", "int8"), {"pattern_id": "text", "shape": "text"}),
    "history": (
        ("text",),
        {"action": "text", "reviewer": "text", "notes": "text", "created_at": "timestamptz"},
    ),
    "past_decisions": (
        (),
        {
            "approved": "bool",
            "confidence": "float8",
            "occurrences": "int8",
            "savings": "float8",
            "kind": "text",
            "lesson": "text",
        },
    ),
    "count_pending_shown": (("text[]", "text[]"), {"place": "int8", "shown": "int8"}),
    "kind_of": (("text",), {"kind": "text"}),
    "nearest": (("int8",), {"signature": "text"}),
    "queue_by_hand": (("text", "text"), {"outcome": "text"}),
    "decide_many": (
        ("text[]", *("text",) * 7, "bool", "bool"),
        {
            "batch_id": "int8",
            **dict.fromkeys(["pattern_id", "outcome", "status", "reviewed_by"], "text"),
            "reviewed_at": "timestamptz",
            "savings": "float8",
            "detail": "text",
        },
    ),
    "begin_answer": (
        ("text", "text"),
        {
            "turn": "timestamptz",
            "differs": "bool",
            "status_code": "int4",
            **dict.fromkeys(["answer", "batch"], "text"),
        },
    ),
    "finish_answer": (("text", "timestamptz", "int4", "text", "text"), {}),
    "forget_answer": (("text", "timestamptz"), {}),
    "snooze": (("text", "timestamptz", "bool", "text", "text"), {"outcome": "text"}),
    "wake": (("text",), {"woken": "void"}),
    "undo_batch": (("int8", "text"), dict.fromkeys(["pattern_id", "outcome", "detail"], "text")),
    "batches": (
        ("text", "int8", "int8"),
        {
            "id": "int8",
            **dict.fromkeys(["decision", "reviewer", "reason"], "text"),
            "decided_at": "timestamptz",
            "items": "int8",
            "undone_at": "timestamptz",
            "undone_by": "text",
            "undoable": "bool",
        },
    ),
    "decision_log": (
        ("text", "timestamptz", "int8", "int8"),
        {
            **dict.fromkeys(["pattern_id", "decision", "reviewer"], "text"),
            "decided_at": "timestamptz",
            **dict.fromkeys(["replaced", "reason"], "text"),
            "batch_id": "int8",
            "undone_at": "timestamptz",
            "savings_usd": "float8",
        },
    ),
    "decided_since": (("timestamptz",), {"reviewer": "text", "decided": "int8"}),
    "comment": (("text",) * 3, {"noted": "bool"}),
    "server": ((), {"server_version": "text", "prepared_transactions": "int4"}),
    "missing_indexes": ((), {"relation": "text", "cost": "text", "command": "text"}),
    "tables_without_trigger": ((), {"relation": "text"}),
    "trigger_faults": (
        (),
        {
            "relation": "text",
            "fault": "text",
            "silenced": "text",
            "mendable": "bool",
            "mending": "text",
            "owner": "text",
        },
    ),
    "watch": (
        (),
        {
            "faults": "text",
            "patterns": "text[]",
            "entries": "text[]",
            "flooded": "bool",
            "storage": "text",
            "queue_usage": "float8",
            "blocker_pid": "int4",
            "body": "text",
            "writers": "text[]",
        },
    ),
    "shed_marks": ((), {"shed": "int8"}),
    "mend": (("text",), {"install_trigger": "void"}),
    "recoveries": ((), {"patterns": "int8", "last_at": "timestamptz"}),
    "what_was_seen": (
        (),
        {
            "max_age_days": "float8",
            **dict.fromkeys(["min_workflows", "patterns", "dated", "recorded"], "int8"),
            **dict.fromkeys(["is_there", "is_readable"], "bool"),
            **dict.fromkeys(["grant_to_read", "owner"], "text"),
        },
    ),
    "refusals": ((), {"pattern_id": "text", "reason": "text", "total": "int8"}),
    "connected_daemons": ((), {"pid": "int4", "host": "text", "connected_at": "timestamptz", "version": "text"}),
    "last_runs": (
        (),
        {
            "kind": "text",
            "finished_at": "timestamptz",
            "duration_ms": "float8",
            **dict.fromkeys(["total_candidates", "synced", "refreshed", "skipped", "errors", "remaining"], "int8"),
        },
    ),
    "missing_rights": ((), {"remedy": "text"}),
    "daemons_without_rights": ((), {"role": "text", "remedy": "text"}),
    "writers_without_rights": ((), dict.fromkeys(["role", "part", "silenced", "lacks", "remedy"], "text")),
    "explain": (
        (*FILTER, "text"),
        {
            "pattern_exists": "bool",
            "pattern_type": "text",
            "confidence": "float8",
            "occurrences": "int8",
            "savings": "float8",
            "automation_status": "text",
            "eligible": "bool",
            "rejected": "bool",
            "entry_status": "text",
            "written_by_us": "bool",
            "refusal": "text",
            "daemons": "int8",
            "evidence": "text",
            "confidence_met": "bool",
            "occurrences_met": "bool",
            "savings_met": "bool",
            "type_met": "bool",
            "age_days": "float8",
            "workflows": "int8",
            "age_met": "bool",
            "workflows_met": "bool",
        },
    ),
    "reconcile": (
        (*FILTER, "text"),
        {"row_id": "int8", "signature": "text", "outcome": "text", "reason": "text"},
    ),
    "notify_pages": (("text[]", "text[]", "bool"), {"tell_changes": "void", "everything": "void"}),
    "queue_missing": (
        (*FILTER, "int8", "bool", "int4", "int4", "float8", "bool", "timestamptz", "text[]"),
        {
            "begun": "timestamptz",
            **dict.fromkeys(["candidates", "missing", "refused", "handled", "queued", "failed"], "int8"),
            "held": "text[]",
            **dict.fromkeys(["queued_signatures", "failed_signatures", "failed_reasons"], "text[]"),
            "finished": "bool",
        },
    ),
    "preview_missing": (
        (*FILTER, "int8", "bool"),
        {"candidates": "int8", "missing": "int8", "listed": "int8", "signatures": "text[]"},
    ),
    "refresh_stale": (
        (*FILTER, "int8", "int8"),
        {"listed": "int8", "refreshed": "int8", "refreshed_signatures": "text[]", "last_id": "int8"},
    ),
    "count_stale": ((), {"stale": "int8"}),
    "retry_refused": (
        (*FILTER, "int8"),
        {
            **dict.fromkeys(["tried", "failed", "refused"], "int8"),
            **dict.fromkeys(["reasons", "queued_signatures", "refreshed_signatures"], "text[]"),
        },
    ),
    "count_gone": ((), {"gone": "int8"}),
    "count_pending": ((), {"pending": "int8", "oldest_at": "float8"}),
    "installed_functions": ((), {"functions_md5": "text"}),
    "record_functions": (("text",), {}),
    "server_state": (
        ("text[]", "text[]"),
        {"role": "text", "in_recovery": "bool", "read_only": "bool", "lacking": "text[]"},
    ),
    "settle": (("text[]", "text[]", "bool"), {"value": "text"}),
    "heartbeat": ((), {"listening": "bool", "in_recovery": "bool", "read_only": "bool"}),
    "ping": (("text", "text"), {"pg_notify": "void"}),
    "unanswered": (("text",), {"pid": "int4"}),
    "host_state": (
        (),
        {
            "server_version": "text",
            "version_number": "int4",
            **dict.fromkeys(["in_recovery", "read_only"], "bool"),
            "role": "text",
            "grant_to_see_sessions": "text",
            "needed_path": "text",
            "server_time": "timestamptz",
        },
    ),
    "stored_settings": (
        ("text[]",),
        {"name": "text", "value": "text", "ours": "bool", "whose": "text", "remedy": "text"},
    ),
    "unstored_settings": (("text[]",), dict.fromkeys(["name", "value", "remedy"], "text")),
    "setting_source": (("text",), {"source": "text"}),
    "path_through": (("text",), {"remedy": "text"}),
    "listens": (("text",), {"listening": "bool"}),
    "connection_limits": (
        (),
        {"scope": "text", **dict.fromkeys(["used", "most", "left_over"], "int4"), "remedy": "text"},
    ),
    "function_bodies": (("text[]",), dict.fromkeys(["function", "name", "body"], "text")),
    "built_bodies": ((), dict.fromkeys(["function", "body"], "text")),
    "closed_schema": ((), {"closed": "bool"}),
    "subscribed": ((), {"subscribed": "bool"}),
    "notification_queue": ((), {"usage": "float8"}),
    "queue_suspect": ((), {"pid": "int4", **dict.fromkeys(["prepared", "role", "application", "remedy"], "text")}),
    "long_transactions": (
        ("float8",),
        {
            "pid": "int4",
            **dict.fromkeys(["prepared", "role", "application"], "text"),
            "seconds": "float8",
            "remedy": "text",
        },
    ),
    "lock_holders": (
        ("float8",),
        {
            "pid": "int4",
            **dict.fromkeys(["prepared", "role", "application"], "text"),
            "seconds": "float8",
            "blocked": "int8",
            "remedy": "text",
        },
    ),
    "roles_part": ((), dict.fromkeys(["detects", "works"], "bool")),
    "insert_canary": (("text",), {"inserted": "bool"}),
    "some_types": ((), {"pattern_type": "text"}),
    "changed_canary": (("text",), {"changed": "text[]"}),
    "announced": ((), {"announced": "text"}),
    "observe_again": (("text",), {"id": "int8", "occurrence_count": "int4"}),
    "observe_first": (("text",) * 4, {"id": "int8", "occurrence_count": "int4"}),
    "note_occurrence": (("int8", "text"), {}),
    "rate_pattern": (("int8", "float8", "float8"), {}),
    "plan_messages": (("text[]", "float8", "float8", "float8", "timestamptz"), {"due_seconds": "float8"}),
    "plan_pauses": (("text[]", "float8"), {"plan_pauses": "void"}),
    "claim_message": (
        ("text[]", "float8"),
        {
            "id": "int8",
            **dict.fromkeys(["key", "channel", "kind"], "text"),
            "created_at": "timestamptz",
            "letter": "text",
            "attempts": "int4",
        },
    ),
    "gather_message": (
        ("int8", "int4", "float8", "int8"),
        {"signatures": "text[]", "patterns": "int8", "savings": "float8", "old": "int8"},
    ),
    "gather_pauses": (
        ("int8", "int4"),
        {
            "pause_id": "int8",
            "rule": "text",
            "version": "int8",
            "verdict": "text",
            "because": "text",
            "paused_at": "timestamptz",
            "decided": "int8",
            "taken_back": "int8",
        },
    ),
    "freeze_message": (("int8", "int4", "text"), {"frozen": "bool"}),
    "settle_message": (("int8", "int4", "text", "int4", "text", "float8", "text"), {"settled": "bool"}),
    "messages": (
        ("text", "int8"),
        {
            "id": "int8",
            **dict.fromkeys(["channel", "kind", "state"], "text"),
            "told": "int8",
            "attempts": "int4",
            "last_status": "int4",
            "last_error": "text",
            **dict.fromkeys(["created_at", "due_at", "ended_at"], "timestamptz"),
        },
    ),
    "retry_message": (("int8",), {"retried": "bool"}),
    "turn_on": (("text",), {}),
    "message_counts": ((), {"channel": "text", "state": "text", "messages": "int8", "reason": "text"}),
    "prune_messages": ((), {"prune_messages": "void"}),
    "hook_sessions": ((), {"session_id": "text", "events": "int8", "last_event_at": "text"}),
    "hook_events": (
        ("text[]",),
        {
            "id": "int8",
            "event_type": "text",
            "session_id": "text",
            "tool_name": "text",
            "payload": "text",
            "at": "text",
        },
    ),
    "report_event": ((*("text",) * 6, "timestamptz"), {}),
    "reported_sessions": ((), {"session_id": "text", "events": "int8", "last_event_at": "text"}),
    "reported_events": (
        ("text[]",),
        {
            "id": "int8",
            "session_id": "text",
            "agent": "text",
            "call_id": "text",
            "phase": "text",
            "tool": "text",
            "word": "text",
            "reported_at": "timestamptz",
        },
    ),
    "known_sessions": ((), {"session_id": "text", "source": "text", "events": "int8", "last_event_at": "timestamptz"}),
    "keep_session": (
        ("text", "text", "int8", "timestamptz", "bool", "int8", *("text[]",) * 4),
        {"kept": "bool"},
    ),
    "drop_sessions": (("text[]",), {}),
    "kept_sessions": (
        ("text", "int8"),
        {
            "session_id": "text",
            "source": "text",
            "events": "int8",
            "last_event_at": "timestamptz",
            "shows_failures": "bool",
            "cut_off": "int8",
            "words": "text",
            "outcomes": "text",
            "called_at": "text",
            "costs_usd": "text",
        },
    ),
    "forget_sessions": (("int4",), {}),
    "routines": ((), {"signature": "text", "shape": "text"}),
    "signatures_of_others": (("text[]",), {"signature": "text"}),
    "write_routine": (
        ("text", "text[]", "text", "float8", "float8", "text[]", "text[]"),
        {"outcome": "text"},
    ),
    "savings": (
        (),
        {
            **dict.fromkeys(["pattern_id", "part"], "text"),
            **dict.fromkeys(["logged", "executed", "recorded", "tried", "failed"], "int8"),
            "saved": "text",
            "last_at": "timestamptz",
            **dict.fromkeys(["repeated", "superseded"], "int8"),
            "days": "text",
        },
    ),
    "promises": (
        (),
        {**dict.fromkeys(["pattern_id", "kind", "status", "estimated"], "text"), "approved_at": "timestamptz"},
    ),
    "promise": (
        ("text",),
        {**dict.fromkeys(["pattern_id", "kind", "status", "estimated"], "text"), "approved_at": "timestamptz"},
    ),
    "savings_sources": (
        (),
        {
            **dict.fromkeys(["log_fault", "executions_fault"], "text"),
            **dict.fromkeys(["kept_at", "now"], "timestamptz"),
        },
    ),
    "record_savings": (
        (*("text",) * 4, "timestamptz", "int8", "int8", "text"),
        {"stored": "text"},
    ),
    "record_execution": (("text", "text"), {"id": "int8"}),
    "keep_savings": (("int8",), {"changed": "int8"}),
    "adjust_confidence": (("int8",), {"adjusted": "text[]", "refused": "text[]", "reason": "text"}),
    "rules": (
        ("text",),
        {
            "name": "text",
            "version": "int8",
            **dict.fromkeys(["verdict", "state", "paused_because"], "text"),
            **dict.fromkeys(["min_confidence", "max_confidence"], "float8"),
            "min_occurrences": "int8",
            **dict.fromkeys(["min_savings", "max_savings"], "float8"),
            **dict.fromkeys(["only_kinds", "exclude_kinds", "needs_tools", "without_tools"], "text[]"),
            "min_workflows": "int8",
            "min_days_seen": "float8",
            "allow_flags": "text[]",
            "wait_hours": "float8",
            "per_day": "int8",
            **dict.fromkeys(["check_share", "agreement"], "float8"),
            "changed_by": "text",
            "changed_at": "timestamptz",
        },
    ),
    "set_rule": (("text", "int8", "text", "text"), {"version": "int8"}),
    "switch_rule": (("text", "int8", "text", "text"), {"switched": "bool"}),
    "pause_rule": (("text", "int8", "text", "text"), {"paused": "bool"}),
    "measure_rule": (
        ("text", "timestamptz"),
        {**dict.fromkeys(["decided", "fitting", "agreed", "lessons", "agreed_lessons"], "int8"), "largest": "float8"},
    ),
    "disagreements": (
        ("text", "timestamptz", "int8"),
        {
            **dict.fromkeys(["pattern_id", "reviewer"], "text"),
            "decided_at": "timestamptz",
            "savings": "float8",
            "notes": "text",
        },
    ),
    "reach_of": (
        ("text",),
        {
            **dict.fromkeys(["entries", "pending", "fitting_pending"], "int8"),
            "fitting_savings": "float8",
            **dict.fromkeys(["recent", "fitting_recent", "fitting"], "int8"),
            **dict.fromkeys(["alone", "extremes"], "text"),
        },
    ),
    "rule_marks": (
        ("text", "int8"),
        {
            **dict.fromkeys(["pattern_id", "rule"], "text"),
            "version": "int8",
            "verdict": "text",
            **dict.fromkeys(["since", "due_at"], "timestamptz"),
        },
    ),
    "rule_events": (
        ("text", "int8"),
        {
            "act": "text",
            "version": "int8",
            **dict.fromkeys(["pattern_id", "reviewer", "reason", "human"], "text"),
            "at": "timestamptz",
        },
    ),
    "rule_counts": (
        ("text",),
        dict.fromkeys(
            [
                *("marked", "left_as_checks", "decided_today", "decided", "vetoed", "taken_back"),
                *("checks_judged", "checks_agreed"),
            ],
            "int8",
        ),
    ),
    "rule_batches": (("text", "timestamptz"), {"batch_id": "int8"}),
    "veto": (("text", "text", "text"), {"outcome": "text"}),
    "look_at_rule": (
        ("text", "int8"),
        {"unseen_hours": "float8", **dict.fromkeys(["taken_back", "flagged", "due"], "int8")},
    ),
    "mark_entries": (("text", "int8", "int8"), {"pattern_id": "text"}),
    "apply_rule": (
        ("text", "int8", "text"),
        {"pattern_id": "text", "outcome": "text", "batch_id": "int8", "detail": "text"},
    ),
    "prune_rule_log": ((), {"prune_rule_log": "void"}),
    "newest_model": (
        (),
        {
            **dict.fromkeys(["lessons", "approved", "id"], "int8"),
            "trained_at": "timestamptz",
            "learned": "int8",
            **dict.fromkeys(["model", "digest", "gate"], "text"),
            "shown": "bool",
        },
    ),
    "shows_likelihoods": ((), {"shown": "bool"}),
    "lessons": (("int8",), {"approved": "bool", **TRAITS}),
    "foretold": (("int8",), {"likelihood": "float8", "approved": "bool", "reviewer": "text", "folded": "bool"}),
    "keep_model": (("int8", "int8", "text", "text"), {"id": "int8"}),
    "settle_gate": (("int8", "text", "bool"), {}),
    "hide_likelihoods": ((), {"hidden": "bool"}),
    "unforetold": (("int8", "text", "int8"), {"pattern_id": "text", **TRAITS, "version": "int8"}),
    "keep_predictions": (("int8", "text[]", "text[]", "text[]", "text[]"), {"kept": "bool"}),
    "forget_predictions": ((), {}),
    "folded": (("float8",), {"entries": "int8", "savings_usd": "float8", "drawn": "int8"}),
    "traits_of": (("text",), TRAITS),
}
SAMPLES: Mapping[str, object] = {
    "text": "x",
    "int4": 1,
    "int8": 1,
    "float8": 1.5,
    "bool": False,
    "text[]": ["x"],
    "timestamptz": datetime(2020, 1, 1, tzinfo=UTC),
    "int8[]": [1, 2],
    "float8[]": [70.0, 80.0],
}
RULE = to_json(RuleTerms(RuleVerdict.APPROVE, min_confidence=50.0, max_savings=1e6, needs_tools=("read",)).to_dict())
OWN_SAMPLES: Mapping[str, tuple[object, ...]] = {
    "record_run": (run_argument("manual", SyncResult(synced_count=1)),),
    "reconcile": (70.0, 5, 1000.0, [], [], 30.0, 3, "{1,2}"),
    "unanswered": ("{1,2}",),
    "keep_session": ("s", "hooks", 2, None, True, 0, ["Read"], ["ok"], [None], ["0.5"]),
    "write_routine": ("a:b:c", ["Read"], "a", 50.0, None, ["s#1"], ["2020-01-01T00:00:00+00:00"]),
    "freeze_message": (1, 1, "{}"),
    "set_rule": ("x", 0, RULE, "ann"),
    "measure_rule": (RULE, None),
    "disagreements": (RULE, None, 9),
    "reach_of": (RULE,),
    "settle_gate": (1, "{}", False),
    "keep_predictions": (1, ["x"], ["0.5"], ["false"], ["1"]),
    "settle_message": (1, 1, "open", 503, "no", 1.0, "failed"),
    "decision_log": (None, None, 300, 0),
    "listed": (
        "pending",
        '{"words": ["x"]}',
        "hide",
        datetime(2020, 1, 1, tzinfo=UTC),
        "evidence",
        True,
        1.0,
        "x",
        0,
        9,
    ),
    "count_listed": ("pending", '{"flag": ["no-steps"]}', "only", None),
    "keep_traits": (None, 10),
    "listed_ids": ("pending", None, "show", None, "name", False, None, None, 0, 9),
    "sum_listed": ("pending", None, "show", None),
    "groups": ("pending", None, "show", None, "kind", 9),
    # No commit: the tests run it in a transaction that is rolled back.
    "queue_missing": (70.0, 5, 1000.0, [], [], 30.0, 3, None, False, 0, 1, 0.0, False, None, []),
    "count_pending_shown": (["70.0", "80.0"], ["1000.0", "2000.0"]),
    "decide_many": (["x"], *["rejected"] * 3, "ann", "no", "pending", "{}", True, False),
    "set_lock_timeout": ("100",),
    "install_trigger": ("pattern_occurrences",),
    "server_state": (["jit"], ["off"]),
    "settle": (["jit"], ["off"], True),
    "mend": ("pattern_occurrences",),
    "insert_canary": ('{"pattern_signature": "canary", "pattern_type": "x"}',),
    "changed_canary": ('{"pattern_signature": "canary", "pattern_type": "x"}',),
    "observe_first": ("new", "x", "x", '["Read"]'),
    "record_savings": ("x", "0.41", "wf-1", None, None, None, None, None),
    "record_execution": (
        "x",
        (
            '{"actual_cost": 0, "estimated_cost": 1, "success": true, "execution_time_seconds": 1,'
            ' "estimated_time_seconds": 2}'
        ),
    ),
    "keep_savings": (0,),
}


def test_every_statement_has_the_parameters_and_columns_that_the_code_expects(database: TestDatabase) -> None:
    async def prepare_all() -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
        connection = await asyncpg.connect(database.url)
        try:
            found = {}
            for name, statement in load_statements().items():
                prepared = await connection.prepare(statement.sql)
                found[name] = (
                    tuple(parameter.name for parameter in prepared.get_parameters()),
                    {column.name: column.type.name for column in prepared.get_attributes()},
                )
            return found
        finally:
            await connection.close()

    found = run(prepare_all())
    assert set(found) == set(EXPECTED), "list every new statement in this test"
    for name, expected in EXPECTED.items():
        assert (name, *found[name]) == (name, *expected)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("statistics", SyncStatistics),
        ("entries", QueueEntry),
        ("queue_counts", QueueCounts),
        ("history", HistoryItem),
        ("connected_daemons", ConnectedDaemon),
        ("last_runs", Run),
        ("recoveries", Recoveries),
        ("batches", Batch),
        ("decision_log", LoggedDecision),
        ("rule_marks", RuleMark),
        ("rule_events", RuleEvent),
        ("rule_counts", RuleCounts),
        ("look_at_rule", RuleLook),
    ],
)
def test_the_columns_of_a_statement_are_the_fields_of_its_class(name: str, shape: type) -> None:
    assert list(EXPECTED[name][1]) == [field.name for field in dataclasses.fields(shape)]


def test_every_column_of_a_scan_is_recorded_and_read(database: TestDatabase) -> None:
    columns = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'pattern_sync.runs'::regclass AND attnum > 0"
    )
    assert {row["attname"] for row in columns} == {"id", *(field.name for field in dataclasses.fields(Run))}
    assert {"kind", "finished_at", *SyncResult().remembered} == {field.name for field in dataclasses.fields(Run)}


def test_every_statement_runs_over_both_drivers_from_the_same_text(database: TestDatabase) -> None:
    database.add_pattern("x", occurrence_count=7)
    database.execute("UPDATE operation_patterns SET id = 1")  # the sample's
    with psycopg.connect(database.url, cursor_factory=psycopg.RawCursor, row_factory=dict_row) as connection:
        for name, statement in load_statements().items():
            cursor = connection.execute(statement.sql.encode(), arguments(name))
            assert {column.name for column in cursor.description or []} == set(EXPECTED[name][1])
            connection.rollback()

    async def run_all() -> None:
        over_asyncpg = await asyncpg.connect(database.url)
        try:
            for name, statement in load_statements().items():
                transaction = over_asyncpg.transaction()
                await transaction.start()
                await over_asyncpg.fetch(statement.sql, *arguments(name))
                await transaction.rollback()
        finally:
            await over_asyncpg.close()

    run(run_all())


def arguments(name: str) -> tuple[object, ...]:
    return OWN_SAMPLES.get(name) or tuple(SAMPLES[kind] for kind in EXPECTED[name][0])


def test_the_version_in_the_code_is_the_newest_migration() -> None:
    versions = [migration.version for migration in load_definitions().migrations]
    assert versions == list(range(1, SCHEMA_VERSION + 1))
