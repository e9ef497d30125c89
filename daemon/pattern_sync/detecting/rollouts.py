"""Rollouts of Codex: a JSON object a line, in files below `~/.codex/sessions`, each of one thread.

The first `session_meta` names the thread; what a fork or a subagent copies of its parent has another one, and the
parent's calls. What a turn used comes behind its calls, as a `token_count`. How a command ended is in what it answered.
Newer models write scripts (`exec`); what these have called is in `item_completed`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pattern_sync.detecting.codex_answers import arguments, outcome_of, outcome_of_exit, outcome_of_status
from pattern_sync.detecting.ledger import Ledger, Page
from pattern_sync.detecting.lines import moment, number, text
from pattern_sync.detecting.prices import Prices, Tokens
from pattern_sync.detecting.words import Words
from pattern_sync.domain.calls import Outcome, plain_id

SOURCE = "codex"
MARKS = (b'"session_meta"', b"_call", b'"token_count"', b'"turn_context"', b'_end"', b'"item_completed"')
_CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output", "local_shell_call_output"})
_SCRIPT = "exec"
_SEARCH = "web_search_call"


class RolloutReader:
    """Takes the lines of one file, in their order, into a ledger."""

    def __init__(self, words: Words, prices: Prices, ledger: Ledger) -> None:
        self._words = words
        self._prices = prices
        self._ledger = ledger
        self._page: Page | None = None
        self._name = ""
        self._folder: str | None = None
        self._model: str | None = None
        self._turn: int | None = None
        self._spent: object = None
        self._open: dict[str, tuple[Page, int]] = {}
        self._script: str | None = None

    def take(self, line: Mapping[str, Any]) -> None:
        """Take a line. One of another type, and what is not as it should be, is passed over."""
        payload = line.get("payload")
        if not isinstance(payload, Mapping):
            return
        at = moment(line.get("timestamp"))
        match line.get("type"):
            case "session_meta":
                self._begin(payload)
            case "turn_context":
                self._model = text(payload.get("model")) or self._model
                self._folder = self._folder or text(payload.get("cwd"))
            case "response_item":
                self._item(payload, at)
            case "event_msg":
                self._event(payload, at)

    def _begin(self, payload: Mapping[str, Any]) -> None:
        own = text(payload.get("id")) or text(payload.get("session_id"))
        if self._page is not None or own is None:
            return
        parent = text(payload.get("parent_thread_id")) or _spawned_by(payload)
        self._name = f"{plain_id(parent)}/{plain_id(own)}" if parent else plain_id(own)
        self._page = self._ledger.page(self._name, SOURCE)
        self._folder = text(payload.get("cwd"))

    def _item(self, payload: Mapping[str, Any], at: datetime | None) -> None:
        kind, call_id = text(payload.get("type")), text(payload.get("call_id")) or text(payload.get("id"))
        if self._page is None or call_id is None:
            return
        if kind in _CALLS:
            self._call(call_id, self._word(payload), at)
            self._script = call_id if payload.get("name") == _SCRIPT else None
            if kind == _SEARCH:
                self._end(call_id, outcome_of_status(payload), at)
        elif kind in _OUTPUTS:
            self._end(call_id, outcome_of(payload.get("output")), at)

    def _call(self, call_id: str, word: str, at: datetime | None) -> None:
        if self._page is None or not self._ledger.is_new(call_id, self._name, at):
            return
        self._page.hear(at)
        if self._turn is None:
            self._turn = self._page.turn()
        self._open[call_id] = self._page, self._page.call(self._ledger.word(word), at, self._turn)

    def _word(self, payload: Mapping[str, Any]) -> str:
        kind = payload.get("type")
        if kind == "local_shell_call":
            return self._words.of("local_shell", payload.get("action"), self._folder)
        given = payload.get("arguments", payload.get("input"))
        return self._words.of(_SEARCH if kind == _SEARCH else payload.get("name"), arguments(given), self._folder)

    def _event(self, payload: Mapping[str, Any], at: datetime | None) -> None:
        kind, call_id = payload.get("type"), text(payload.get("call_id"))
        item = payload.get("item")
        if kind == "token_count":
            self._spend(payload.get("info"))
        elif kind == "item_completed" and isinstance(item, Mapping):
            self._done(item, at)
        elif kind == "exec_command_end" and call_id is not None:
            self._end(call_id, outcome_of_exit(payload.get("exit_code")), at)
        elif kind == "patch_apply_end" and call_id is not None and isinstance(payload.get("success"), bool):
            self._end(call_id, Outcome.OK if payload["success"] else Outcome.FAILED, at)

    def _done(self, item: Mapping[str, Any], at: datetime | None) -> None:
        """Take what was really done: the end of a call that is known, or what a script has called.

        The first takes the place of the script, whose word is a guess; the others are calls of their own.
        """
        call_id, word = text(item.get("id")), self._word_of_item(item)
        if call_id is None or word is None:
            return
        script, self._script = self._open.get(self._script or ""), None
        if call_id not in self._open and script is not None and self._ledger.is_new(call_id, self._name, at):
            page, call = self._open[call_id] = script
            page.rename(call, self._ledger.word(word))
        elif call_id not in self._open:
            self._call(call_id, word, at)
        outcome = outcome_of_exit(item.get("exit_code"))
        known = outcome is not Outcome.UNKNOWN
        self._end(call_id, outcome if known else outcome_of_status(item), at)

    def _word_of_item(self, item: Mapping[str, Any]) -> str | None:
        match item.get("type"):
            case "CommandExecution":
                return self._words.of("exec_command", item, self._folder)
            case "FileChange":
                changes = item.get("changes")
                path = next(iter(changes), None) if isinstance(changes, Mapping | list) else None
                path = path.get("path") if isinstance(path, Mapping) else path
                return self._words.of("Edit", {"path": path}, self._folder)
            case "McpToolCall":
                return self._words.tool(f"mcp__{item.get('server')}__{item.get('tool')}")
            case _:
                return None

    def _end(self, call_id: str, outcome: Outcome, at: datetime | None) -> None:
        if (begun := self._open.get(call_id)) is not None:
            page, call = begun
            page.hear(at)
            page.end(call, outcome)

    def _spend(self, info: object) -> None:
        """Take what was used since the last time: by the turn whose calls have come since."""
        last = info.get("last_token_usage") if isinstance(info, Mapping) else None
        if not isinstance(info, Mapping) or not isinstance(last, Mapping):
            return
        # The same is reported again where only the limits have changed.
        if self._spent is not None and info.get("total_token_usage") == self._spent:
            return
        self._spent, turn, self._turn = info.get("total_token_usage"), self._turn, None
        used, output = number(last.get("input_tokens")), number(last.get("output_tokens"))
        if self._page is None or turn is None or self._model is None or used is None or output is None:
            return
        read = min(used, number(last.get("cached_input_tokens")) or 0)
        written = min(used - read, number(last.get("cache_write_input_tokens")) or 0)
        self._page.spend(turn, self._prices.cost_usd(self._model, Tokens(used - read - written, output, read, written)))


def _spawned_by(payload: Mapping[str, Any]) -> str | None:
    source = payload.get("source")
    for key in ("subagent", "thread_spawn"):
        source = source.get(key) if isinstance(source, Mapping) else None
    return text(source.get("parent_thread_id")) if isinstance(source, Mapping) else None
