"""The two names of a pattern: `signature`, a text that everybody knows it by, and the id of its row, ours alone."""

from typing import NewType

# `operation_patterns.id`. On the wire and in `pattern_approvals`, `pattern_id` is the signature.
RowId = NewType("RowId", int)
