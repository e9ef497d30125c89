"""Answers for expected faults: a sentence for a person, without SQL, addresses or tracebacks."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pattern_sync.domain.errors import (
    AlreadyDecided,
    CannotQueue,
    DatabaseUnavailable,
    DecisionRefused,
    InvalidInput,
    NobodyToTell,
    NothingLearned,
    NotReadyYet,
    NotRecordable,
    NotSnoozable,
    NotUndoable,
    OutcomeUnknown,
    PatternSyncError,
    RuleRefused,
    StatementFailed,
    TransactionConflict,
    UnknownBatch,
    UnknownMessage,
    UnknownPattern,
    UnknownRule,
)
from pattern_sync.domain.facts import Emit, RequestFailed, RequestFault
from pattern_sync.web.known import UNKNOWN_NAME, body_names, unknown_sentence
from pattern_sync.web.middleware.refusal import SAFE_METHODS
from pattern_sync.web.middleware.request_ids import request_id_of
from pattern_sync.web.schemas.problems import Conflict, Invalid, InvalidField, Problem

Responses = dict[int | str, dict[str, Any]]

EVERYWHERE: Responses = {
    400: {
        "model": Problem,
        "description": "The body is not JSON in UTF-8, or the `Host` is not a name of this server.",
    },
    401: {"model": Problem, "description": "The token is missing or wrong."},
    403: {"model": Problem, "description": "The token does not suffice, or the page's origin is not allowed."},
    408: {"model": Problem, "description": "The body did not arrive in time."},
    413: {"model": Problem, "description": "The body is larger than 64 KiB."},
    422: {"model": Invalid, "description": "A parameter or the body is invalid; `fields` lists every fault."},
    503: {"model": Problem, "description": "The database, or this entry, cannot be used now. Try again."},
}
UNKNOWN: Responses = {
    504: {
        "model": Problem,
        "description": "The database was lost before it answered: it is not known whether this was written.",
    }
}
ONE_PATTERN: Responses = {
    404: {
        "model": Problem,
        "description": "The queue has no entry with this signature; for `explain`, there is no such pattern either.",
    }
}
_WRITING: Responses = ONE_PATTERN | UNKNOWN
REMARK: Responses = _WRITING | {
    409: {
        "model": Problem,
        "description": "A trigger or policy of the application, or the database, refused it; nothing was written.",
    }
}
DECISION: Responses = _WRITING | {
    409: {
        "model": Conflict,
        "description": (
            "Nothing was written: the entry no longer has the status that the decision replaces (`entry` is the entry"
            " as it is now), or the application or the database refused the decision (`entry` is null)."
        ),
    }
}
TOGETHER: Responses = UNKNOWN | {
    409: {"model": Problem, "description": "The database refused the request as a whole; nothing was written."}
}
UNDO: Responses = UNKNOWN | {
    404: {"model": Problem, "description": "There is no such batch, or it is forgotten."},
    409: {
        "model": Problem,
        "description": "The batch is older than seven days, or nothing of it is left to undo; nothing was written.",
    },
}
UNTOLD: Responses = {409: {"model": Problem, "description": "The settings name nobody who is to be told."}}
ONE_RULE: Responses = {404: {"model": Problem, "description": "There is no rule with this name."}}
RULING: Responses = UNKNOWN | {
    409: {
        "model": Problem,
        "description": "Nothing was written: the rule has not proved itself, was changed meanwhile or has done nothing"
        " to take back, or the operator has forbidden rules.",
    }
}
OBJECTION: Responses = REMARK | {
    409: {"model": Problem, "description": "No rule is about to decide it, or it is decided already."}
}
UNLEARNED: Responses = {
    409: {"model": Problem, "description": "The order `expected` is not there yet; `detail` says why. See `/model`."}
}
ADMINISTRATORS_ONLY: Responses = {
    403: {"model": Problem, "description": "Only administrators may do this, or the page's origin is not allowed."}
}

_RETRY = {"Retry-After": "2"}
# `detail` names the first few; `fields` has all of them.
SHOWN_FAULTS = 3
# The location of a field of the body itself: `body`, and its name.
_TOP = 2


def install_exception_handlers(app: FastAPI, emit: Emit) -> None:
    """Answer every expected fault with its status. Anything else is a bug, which the server logs with its traceback."""
    reporting = _Reporting(emit)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(InvalidInput)(_invalid_input)
    app.exception_handler(UnknownPattern)(_unknown)
    app.exception_handler(UnknownBatch)(_unknown)
    app.exception_handler(UnknownMessage)(_unknown)
    app.exception_handler(UnknownRule)(_unknown)
    app.exception_handler(RuleRefused)(_not_possible)
    app.exception_handler(NobodyToTell)(_not_possible)
    app.exception_handler(NothingLearned)(_not_possible)
    app.exception_handler(NotUndoable)(_not_possible)
    app.exception_handler(NotSnoozable)(_not_possible)
    app.exception_handler(NotRecordable)(_not_possible)
    app.exception_handler(AlreadyDecided)(_decided)
    app.exception_handler(CannotQueue)(_not_queued)
    app.exception_handler(NotReadyYet)(_not_ready)
    app.exception_handler(TransactionConflict)(_busy)
    app.exception_handler(DecisionRefused)(reporting.decision_refused)
    app.exception_handler(StatementFailed)(reporting.statement_failed)
    app.exception_handler(OutcomeUnknown)(reporting.unknown)
    app.exception_handler(DatabaseUnavailable)(reporting.unavailable)
    app.exception_handler(PatternSyncError)(reporting.unusable)
    app.exception_handler(Exception)(_bug)


class _Reporting:
    """Answers faults whose reason goes to the log only: it may quote the database's message."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    async def decision_refused(self, request: Request, fault: DecisionRefused) -> JSONResponse:
        self._report(RequestFault.REFUSED, request, fault)
        detail = fault.sentence if fault.words is None else f"{fault.sentence} The daemon's log says why."
        return JSONResponse(Conflict(detail=detail).model_dump(), 409)

    async def statement_failed(self, request: Request, fault: StatementFailed) -> JSONResponse:
        self._report(RequestFault.REFUSED, request, fault)
        done = "answer" if request.method in SAFE_METHODS else "store"
        refusal = Conflict(detail=f"The database refused to {done} this. The daemon's log says why.")
        return JSONResponse(refusal.model_dump(), 409)

    async def unavailable(self, request: Request, fault: DatabaseUnavailable) -> JSONResponse:
        # For debugging only: the services report an outage once, but every open page retries again and again.
        self._report(RequestFault.UNAVAILABLE, request, fault)
        return _problem(503, "The database cannot be used now. Try again in a few seconds.", _RETRY)

    async def unknown(self, request: Request, fault: OutcomeUnknown) -> JSONResponse:
        if request.method in SAFE_METHODS:
            return await self.unavailable(request, fault)
        self._report(RequestFault.UNAVAILABLE, request, fault)
        # Without Retry-After: a comment that is sent again may be there twice.
        return _problem(504, "The database was lost before it answered. It is not known whether this was written.")

    async def unusable(self, request: Request, fault: PatternSyncError) -> JSONResponse:
        self._report(RequestFault.UNUSABLE, request, fault)
        return _problem(503, "The daemon cannot use its database. Its log says why.")

    def _report(self, fault: RequestFault, request: Request, reason: PatternSyncError) -> None:
        name = request_id_of(request.scope)
        self._emit(RequestFailed(fault, request.method, request.url.path, str(reason), name))


async def _invalid_request(request: Request, fault: RequestValidationError) -> JSONResponse:
    # The value itself is left out: it may be NaN, which JSON cannot hold, or very long.
    fields = [
        InvalidField(loc=list(error["loc"]), msg=error["msg"].removeprefix("Value error, "), type=error["type"])
        for error in fault.errors()
    ]
    for field in fields:
        if field.type == UNKNOWN_NAME and len(field.loc) == _TOP and field.loc[0] == "body":
            field.msg = unknown_sentence(str(field.loc[1]), body_names(request.scope["route"].body_field))
    if (
        fields[0].loc == ["body"]
        and fields[0].type != UNKNOWN_NAME
        and "json" not in request.headers.get("content-type", "")
    ):
        fields[0].msg = "The body is not a JSON object; send one, with Content-Type: application/json"
    return _invalid(fields)


async def _invalid_input(_: Request, fault: InvalidInput) -> JSONResponse:
    return _invalid([InvalidField(loc=["body"], msg=str(fault), type="value_error")])


async def _unknown(_: Request, fault: UnknownPattern | UnknownBatch | UnknownMessage | UnknownRule) -> JSONResponse:
    return _problem(404, str(fault))


async def _not_possible(
    _: Request, fault: NotUndoable | NotSnoozable | NotRecordable | NobodyToTell | RuleRefused | NothingLearned
) -> JSONResponse:
    return _problem(409, str(fault))


async def _decided(_: Request, fault: AlreadyDecided) -> JSONResponse:
    return JSONResponse(Conflict(detail=str(fault), entry=fault.entry).model_dump(mode="json"), 409)


async def _not_queued(_: Request, fault: CannotQueue) -> JSONResponse:
    return _problem(409, str(fault))


async def _not_ready(_: Request, fault: NotReadyYet) -> JSONResponse:
    return _problem(503, str(fault), _RETRY)


async def _busy(_: Request, __: TransactionConflict) -> JSONResponse:
    return _problem(503, "Somebody else is changing this pattern. Nothing was written. Try again in a moment.", _RETRY)


async def _bug(_: Request, __: Exception) -> JSONResponse:
    return _problem(500, "This is a bug in Pattern Sync. The daemon's log has the traceback.")


def _invalid(fields: list[InvalidField]) -> JSONResponse:
    sentences = [_sentence(field).removesuffix(".") for field in fields[:SHOWN_FAULTS]]
    if len(fields) > SHOWN_FAULTS:
        sentences.append(f"And {len(fields) - SHOWN_FAULTS:,} more")
    return JSONResponse(Invalid(detail=f"{'. '.join(sentences)}.", fields=fields).model_dump(), 422)


def _sentence(field: InvalidField) -> str:
    # The first part of the location is where the field was sent: body, query, path or header.
    name = ".".join(str(part) for part in field.loc[1:])
    return field.msg if field.msg.startswith(name) else f"{name}: {field.msg}"


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(Problem(detail=detail).model_dump(), status, headers)
