"""A name for each request, by which a person's complaint, a proxy's log and the daemon's log are brought together."""

import json
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "X-Request-ID"
# In the scope, which middleware copies: a text, so that every copy has it.
_SCOPE = "pattern_sync.request_id"
# Of a proxy, or of a client: what is fit for a line of a log and for a header.
_SANE = re.compile(r"[A-Za-z0-9._:=+/@-]{1,128}")
_FIRST_ERROR = 400


class RequestIds:
    """Names each request, on its answer and in the body of every error; it goes around all that answers.

    The id of a proxy is taken over. A bug carries it in its traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        name = _given(scope) or uuid.uuid4().hex
        try:
            await self._app({**scope, _SCOPE: name}, receive, _Naming(send, name))
        except Exception as bug:
            bug.add_note(f"request_id: {name}")
            raise


class _Naming:
    """Sends an answer with the request's id; the body of an error is held back until it is complete."""

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name
        self._held: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        kind = message["type"].removeprefix("websocket.")
        if kind == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._name
            if message["status"] >= _FIRST_ERROR and headers.get("content-type", "").startswith("application/json"):
                self._held = message
            else:
                await self._send(message)
        elif kind == "http.response.body" and self._held is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_named(self._held, message)
        else:
            await self._send(message)

    async def _send_named(self, start: Message, last: Message) -> None:
        body = _with_id(bytes(self._body), self._name)
        MutableHeaders(scope=start)["Content-Length"] = str(len(body))
        self._held = None
        await self._send(start)
        await self._send({**last, "body": body})


def request_id_of(scope: Scope) -> str:
    """Return the id of a request."""
    return str(scope.get(_SCOPE, ""))


def _given(scope: Scope) -> str | None:
    values = Headers(scope=scope).getlist(REQUEST_ID) if scope["type"] in {"http", "websocket"} else []
    return values[0] if len(values) == 1 and _SANE.fullmatch(values[0]) else None


def _with_id(body: bytes, name: str) -> bytes:
    problem = json.loads(body)
    # A health report is no error, whatever its status.
    if not isinstance(problem, dict) or "detail" not in problem:
        return body
    return json.dumps({**problem, "request_id": name}, ensure_ascii=False, separators=(",", ":")).encode()
