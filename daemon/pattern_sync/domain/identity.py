"""The two names of a pattern: its `signature`, the text used everywhere, and its row id, used only inside."""

from typing import NewType

# `operation_patterns.id`. On the wire and in `pattern_approvals`, `pattern_id` is the signature.
RowId = NewType("RowId", int)
