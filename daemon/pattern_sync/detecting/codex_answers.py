"""How calls of Codex ended, as far as their answers say it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pattern_sync.detecting.lines import objects, text
from pattern_sync.domain.calls import Outcome

# A command's output begins with how it ended; what follows may say anything.
_HEAD = 600
_HEAD_LINES = 5
_EXIT = re.compile(r"(?:Exit code: |Process exited with code )(-?\d{1,10})\s*")
_STATUSES = {"completed": Outcome.OK, "failed": Outcome.FAILED, "declined": Outcome.FAILED}


def arguments(given: object) -> object:
    """Return arguments, which are JSON in a text, or a text as it is."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            return given
    return given


def outcome_of(output: object) -> Outcome:
    """Return how a call ended, from what it answered: JSON with an exit code, or a text that begins with one."""
    output = arguments(output)
    if isinstance(output, Mapping):
        if isinstance(success := output.get("success"), bool):
            return Outcome.OK if success else Outcome.FAILED
        metadata = output.get("metadata")
        return outcome_of_exit((metadata if isinstance(metadata, Mapping) else output).get("exit_code"))
    if isinstance(output, list):
        output = next((part.get("text") for part in objects(output)), None)
    return _outcome_of_text(output) if isinstance(output, str) else Outcome.UNKNOWN


def _outcome_of_text(output: str) -> Outcome:
    head: list[str] = []
    for line in output[:_HEAD].splitlines()[:_HEAD_LINES]:
        if line.startswith("Output:"):
            break
        head.append(line)
    if head and head[0] == "Script failed":
        return Outcome.FAILED
    found = next((match for line in head if (match := _EXIT.fullmatch(line))), None)
    return outcome_of_exit(int(found[1])) if found else Outcome.UNKNOWN


def outcome_of_exit(code: object) -> Outcome:
    """Return what an exit code says."""
    if isinstance(code, bool) or not isinstance(code, int):
        return Outcome.UNKNOWN
    return Outcome.OK if code == 0 else Outcome.FAILED


def outcome_of_status(said: Mapping[str, Any]) -> Outcome:
    """Return what the status of an item says."""
    return _STATUSES.get(text(said.get("status")) or "", Outcome.UNKNOWN)
