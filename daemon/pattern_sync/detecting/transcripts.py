"""Transcripts of Claude Code: a JSON object a line, in files below `~/.claude/projects`.

An answer of the model is spread over several lines, which all repeat its id and what it used. Calls are in lines of the
type `assistant`, their results in lines of the type `user`. A resumed session copies the lines of the one before. What
a subagent does has `isSidechain`, and its `agentId` in newer versions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pattern_sync.detecting.ledger import Ledger, Page
from pattern_sync.detecting.lines import moment, number, objects, text
from pattern_sync.detecting.prices import Prices, Tokens
from pattern_sync.detecting.words import Words
from pattern_sync.domain.calls import Outcome, plain_id

SOURCE = "claude-code"
# Which lines are worth parsing; the others are a tenth of the lines and most of the bytes.
MARKS = (b'"tool_use', b'"tool_result"', b'"usage"')
_CALLS = frozenset({"tool_use", "server_tool_use"})
_UNNAMED_AGENT = "subagent"


class TranscriptReader:
    """Takes the lines of one file, in their order, into a ledger."""

    def __init__(self, words: Words, prices: Prices, ledger: Ledger) -> None:
        self._words = words
        self._prices = prices
        self._ledger = ledger
        self._folders: dict[str, str | None] = {}
        self._names: dict[tuple[str, str | None], str] = {}
        self._turns: dict[tuple[str, str], int] = {}
        self._open: dict[str, tuple[Page, int]] = {}

    def take(self, line: Mapping[str, Any]) -> None:
        """Take a line. One of another type, and what is not as it should be, is passed over."""
        message = line.get("message")
        session_id = text(line.get("sessionId"))
        if session_id is None or not isinstance(message, Mapping):
            return
        name = self._name(session_id, line)
        self._folders.setdefault(session_id, text(line.get("cwd")))
        at = moment(line.get("timestamp"))
        match line.get("type"):
            case "assistant":
                self._answer(name, self._folders[session_id], message, at)
            case "user":
                self._results(message, line.get("toolUseResult"), at)

    def _answer(self, name: str, folder: str | None, message: Mapping[str, Any], at: datetime | None) -> None:
        page = self._ledger.page(name, SOURCE)
        turn: int | None = None
        for block in objects(message.get("content")):
            call_id = text(block.get("id"))
            if call_id is None or text(block.get("type")) not in _CALLS:
                continue
            if not self._ledger.is_new(call_id, name, at):
                continue
            page.hear(at)
            turn = self._turn(name, page, message)
            word = self._ledger.word(self._words.of(block.get("name"), block.get("input"), folder))
            self._open[call_id] = page, page.call(word, at, turn)
        message_id = text(message.get("id"))
        known = self._turns.get((name, message_id)) if message_id is not None else turn
        if known is not None:
            page.spend(known, self._cost(message))

    def _turn(self, name: str, page: Page, message: Mapping[str, Any]) -> int:
        message_id = text(message.get("id"))
        if message_id is None:
            return page.turn()
        key = name, message_id
        if key not in self._turns:
            self._turns[key] = page.turn()
        return self._turns[key]

    def _results(self, message: Mapping[str, Any], detail: object, at: datetime | None) -> None:
        said = detail if isinstance(detail, Mapping) else {}
        # What goes on in the background is not over.
        good = Outcome.UNKNOWN if said.get("backgroundTaskId") else Outcome.OK
        for block in objects(message.get("content")):
            call_id = text(block.get("tool_use_id"))
            if block.get("type") != "tool_result" or call_id is None:
                continue
            # The result of a call that was another file's is another file's, too.
            if (begun := self._open.pop(call_id, None)) is not None:
                page, call = begun
                page.hear(at)
                failed = block.get("is_error") is True or said.get("interrupted") is True
                page.end(call, Outcome.FAILED if failed else good)

    def _cost(self, message: Mapping[str, Any]) -> float | None:
        usage, model = message.get("usage"), text(message.get("model"))
        if not isinstance(usage, Mapping) or model is None:
            return None
        fresh, output = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
        if fresh is None or output is None:
            return None
        read, written = (number(usage.get(f"cache_{each}_input_tokens")) or 0 for each in ("read", "creation"))
        return self._prices.cost_usd(model, Tokens(fresh, output, read, written))

    def _name(self, session_id: str, line: Mapping[str, Any]) -> str:
        """Return a session's id, and behind it that of the subagent."""
        agent = (text(line.get("agentId")) or _UNNAMED_AGENT) if line.get("isSidechain") is True else None
        if (name := self._names.get((session_id, agent))) is None:
            name = plain_id(session_id) if agent is None else f"{plain_id(session_id)}/{plain_id(agent)}"
            self._names[session_id, agent] = name
        return name
