"""Answers a request that is sent again under the same key with the first answer."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_sync.domain.answers import Answer, Begun
from pattern_sync.domain.errors import PatternSyncError
from pattern_sync.web.middleware.refusal import refuse
from pattern_sync.web.middleware.routing import PATTERNS

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# Names the batch of a decision, for undo.
BATCH = "Pattern-Sync-Batch"
KEY_FORM = r"[!-~]{1,255}"
_KEY = re.compile(KEY_FORM)
# The application's own path.
EXECUTIONS = "/api/roi-tracking/executions"
# A sync has its own answer each time.
_SYNC = f"{PATTERNS}sync/"
# The database was lost before it answered: it may have written.
_UNKNOWN = 504
_SOON = {"Retry-After": "2"}


class Answers(Protocol):
    """Where answers are kept; every method raises PatternSyncError."""

    async def begin(self, key: str, request: str) -> Begun: ...
    async def finish(self, key: str, turn: datetime, answer: Answer) -> None: ...
    async def forget(self, key: str, turn: datetime) -> None: ...


class Repeats:
    """Gives what people write its header `Idempotency-Key`.

    Only an answer of success is kept: after any other nothing is written, and the request may be sent again. Where that
    is not known, the key stays taken for a minute. `who` are the headers that name people.
    """

    def __init__(self, app: ASGIApp, answers: Answers, who: Sequence[str]) -> None:
        self._app = app
        self._answers = answers
        self._who = who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, answer with the first answer, or with 409, 422 or 503."""
        keys = Headers(scope=scope).getlist(KEY) if _is_written(scope) else []
        if not keys:
            await self._app(scope, receive, send)
            return
        if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
            detail = f"{KEY} must be one text of 1 to 255 characters of ASCII without blanks, such as a UUID."
            await _refuse_as_invalid(scope, receive, send, detail)
            return
        body = await _whole(receive)
        try:
            begun = await self._answers.begin(keys[0], self._digest(scope, body))
        except PatternSyncError:
            await refuse(
                scope, receive, send, 503, "The database cannot be used now. Try again in a few seconds.", _SOON
            )
            return
        if begun.turn is not None:
            await self._answer(scope, _again(body, receive), send, keys[0], begun.turn)
        elif begun.answer is not None:
            await _replay(begun.answer)(scope, receive, send)
        elif begun.differs:
            detail = f"{KEY} {keys[0]!r} was used for another request within the last day; send a new one."
            await _refuse_as_invalid(scope, receive, send, detail)
        else:
            detail = "The first request with this key is still at work. Send it again in a moment."
            await refuse(scope, receive, send, 409, detail, _SOON)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, key: str, turn: datetime) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)  # a bug leaves the key taken for a minute
        await self._settle(key, turn, messages)
        for message in messages:
            await send(message)

    async def _settle(self, key: str, turn: datetime, messages: Sequence[Message]) -> None:
        start = messages[0]
        status = int(start["status"])
        try:
            if status // 100 == 2:  # noqa: PLR2004 - a success
                body = b"".join(message.get("body", b"") for message in messages[1:]).decode()
                await self._answers.finish(key, turn, Answer(status, body, MutableHeaders(scope=start).get(BATCH)))
            elif status != _UNKNOWN:
                await self._answers.forget(key, turn)
        except PatternSyncError:
            return  # the answer counts; the key is free in a minute

    def _digest(self, scope: Scope, body: bytes) -> str:
        headers = Headers(scope=scope)
        path = scope.get("raw_path", b"").decode("latin-1")
        what = [path, scope["query_string"].decode("latin-1"), [headers.getlist(name) for name in self._who]]
        return hashlib.sha256(json.dumps(what).encode() + b"\0" + body).hexdigest()


def takes_key(method: str, path: str) -> bool:
    """Return whether a request writes what a person has written, and can be sent again under a key."""
    return method == "POST" and (path == EXECUTIONS or (path.startswith(PATTERNS) and not path.startswith(_SYNC)))


def _is_written(scope: Scope) -> bool:
    return scope["type"] == "http" and takes_key(scope["method"], scope["path"])


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return unread.pop() if unread else await receive()

    return receive_again


def _replay(answer: Answer) -> Response:
    headers = {REPLAYED: "true", **({BATCH: answer.batch} if answer.batch else {})}
    return Response(answer.body, answer.status, headers, "application/json")


async def _refuse_as_invalid(scope: Scope, receive: Receive, send: Send, detail: str) -> None:
    fields = [{"loc": ["header", KEY], "msg": detail, "type": "value_error"}]
    content = json.dumps({"detail": detail, "fields": fields})
    await Response(content, 422, media_type="application/json")(scope, receive, send)
