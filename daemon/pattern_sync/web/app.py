"""The application that the HTTP server serves, assembled from its parts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from pattern_sync.accounting import Accounting
from pattern_sync.advising import Advising
from pattern_sync.detecting import Reporting
from pattern_sync.domain.facts import Emit
from pattern_sync.learning import Learning
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.metrics.exposition import Metrics
from pattern_sync.review import Decisions, Finding, Review, Snoozing
from pattern_sync.ruling import Rules
from pattern_sync.telling import Messages
from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.advice_routes import AdviceRoutes
from pattern_sync.web.decision_routes import DecisionRoutes
from pattern_sync.web.description import DescribedApi, DescriptionRoutes
from pattern_sync.web.event_routes import EventRoutes
from pattern_sync.web.exception_handlers import install_exception_handlers
from pattern_sync.web.identity import Identity
from pattern_sync.web.list_routes import TOTAL_COUNT, ListRoutes
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_description import describe_live
from pattern_sync.web.live_routes import LiveRoutes
from pattern_sync.web.message_routes import MessageRoutes
from pattern_sync.web.metrics_routes import MetricsRoutes
from pattern_sync.web.middleware.bodies import BodyLimit
from pattern_sync.web.middleware.compression import Compressed
from pattern_sync.web.middleware.headers import OURS, ResponseHeaders
from pattern_sync.web.middleware.measure import Measured, Routed
from pattern_sync.web.middleware.origins import HostCheck, OriginCheck
from pattern_sync.web.middleware.prefix import LastSlash, Prefix
from pattern_sync.web.middleware.repeats import BATCH, KEY, REPLAYED, Answers, Repeats
from pattern_sync.web.middleware.request_ids import REQUEST_ID, RequestIds
from pattern_sync.web.middleware.routing import HeadAsGet, RawPatternIds
from pattern_sync.web.middleware.tokens import TokenFirst
from pattern_sync.web.middleware.wrong_tokens import WrongTokens
from pattern_sync.web.model_routes import ModelRoutes
from pattern_sync.web.page_files import PageFiles
from pattern_sync.web.review_routes import ReviewRoutes
from pattern_sync.web.reviewer_routes import ReviewerRoutes
from pattern_sync.web.roi_routes import RoiRoutes
from pattern_sync.web.rule_routes import MarkRoutes, RuleRoutes
from pattern_sync.web.schemas.decisions import MANY_EXAMPLE
from pattern_sync.web.schemas.review import ENTRY_EXAMPLE
from pattern_sync.web.schemas.roi import PATTERN_ROI_EXAMPLE, ROI_EXAMPLE
from pattern_sync.web.snooze_routes import SnoozeRoutes
from pattern_sync.web.sync_routes import Counts, SyncRoutes, Syncs
from pattern_sync.web.system_routes import SystemRoutes

STATIC = Path(__file__).with_name("static")
_ABOUT = """
Read the review queue, decide on its entries, and sync it with the detector's patterns.

**Tokens.** Send a token as `Authorization: Bearer TOKEN`. Without `PATTERN_SYNC_API_TOKEN`, everybody who reaches the
daemon may read and decide. `/sync/all`, and changing or switching a rule, always need the administrators' token. The
probes need none.

**Patterns.** `pattern_id` is the pattern's signature, a text. Percent-encode it in a path: a slash is `%2F`. Where
something on the way decodes slashes, or the signature is `.`, `..` or another word of these paths, write `~` in the
path and add the query `pattern_id=`.

**Proxies.** Every answer to a valid request has the header `Pattern-Sync`. One without it comes from something in
between.

**Errors.** `detail` is a sentence that can be shown to a person. Parameters and fields that are not known are errors.
`request_id` is in the daemon's log, and on every answer as `X-Request-ID`; the one that you send is taken over. After a
503 with `Retry-After`, repeat the request.

**Sending again.** Whatever is written takes an `Idempotency-Key`, such as a UUID, for a day. The same request with the
same key gets the first answer, with `Idempotency-Replayed: true`, and writes nothing; another request with that key
gets 422. While the first one is at work, the answer is 409 with `Retry-After`. Syncs, messages and rules take none.

**Live updates.** The WebSocket `/api/v1/ws/patterns` sends every change of the queue: see `/asyncapi.json`.
"""

_TAGS = {
    "review": "Read the queue, and decide and comment on one pattern.",
    "decisions": "Decide many patterns at once, undo it, and read the record of decisions.",
    "advice": "What past decisions say about the filter and of entries, and patterns that only just miss it.",
    "sync": "Sync the queue with the detector's patterns by hand. The daemon does it by itself, too.",
    "roi": "What approved patterns have saved, beside what they promised; and the recording of it.",
    "messages": "Messages to people outside the page.",
    "events": "What coding agents report of their calls, for the reference detector.",
    "rules": "Rules that decide for people, once people's own decisions have shown that they agree.",
    "system": "Probes, and a health report for people.",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who is admitted, and where this server is.

    `origins` are other origins whose pages may call, `host_names` this server's own. `public_origin` and `prefix` are
    the origin and the path by which a proxy serves it; None and empty if there is none. `identity_header` is the one in
    which a proxy names the reviewer; None if reviewers name themselves.
    """

    tokens: Tokens
    origins: Collection[str]
    host_names: Collection[str]
    public_origin: str | None = None
    prefix: str = ""
    identity_header: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the routes need."""

    review: Review
    finding: Finding
    advising: Advising
    accounting: Accounting
    learning: Learning
    decisions: Decisions
    answers: Answers
    snoozing: Snoozing
    syncs: Syncs
    counts: Counts
    messages: Messages
    reporting: Reporting
    rules: Rules
    health: HealthReporter
    live: LiveUpdates
    hanging: Callable[[], list[str]]
    metrics: Metrics
    emit: Emit
    now: Callable[[], float]


def create_app(parts: Parts, access: Access, version: str) -> ASGIApp:
    """Return the application. The middleware that is added last sees a request first."""
    guard = Guard(access.tokens)
    api = create_api(parts, access, guard, version)
    api.mount("/", PageFiles(directory=STATIC, html=True))
    app: ASGIApp = HeadAsGet(RawPatternIds(Routed(LastSlash(api, access.prefix))))
    who = ["X-Reviewer", *([access.identity_header] if access.identity_header else [])]
    app = TokenFirst(BodyLimit(Repeats(app, parts.answers, who)), guard)
    app = CORSMiddleware(
        app,
        allow_origins=list(access.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", KEY, "X-Reviewer"],
        allow_credentials=True,  # the application's panel may send requests with credentials; no cookie is ever set
        expose_headers=["Link", TOTAL_COUNT, BATCH, REPLAYED, OURS, REQUEST_ID],
        max_age=600,
    )
    app = OriginCheck(app, access.origins, access.public_origin, parts.emit)
    app = HostCheck(app, access.host_names)
    app = Prefix(Measured(ResponseHeaders(app), parts.emit, parts.now), access.prefix)
    app = WrongTokens(app, parts.emit, parts.now)
    return Compressed(RequestIds(app))


def create_api(parts: Parts, access: Access, guard: Guard, version: str) -> FastAPI:
    """Return the routes of the API."""
    api = DescribedApi(
        [ENTRY_EXAMPLE, MANY_EXAMPLE, ROI_EXAMPLE, PATTERN_ROI_EXAMPLE],
        title="Pattern Sync",
        version=version,
        description=_ABOUT,
        openapi_url=None,  # served by DescriptionRoutes, which refuse what they do not know
        docs_url=None,
        redoc_url=None,
        servers=[{"url": access.prefix}] if access.prefix else None,
        openapi_tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        generate_unique_id_function=lambda route: f"{route.tags[0]}_{route.name}",
    )
    install_exception_handlers(api, parts.emit)
    identity = Identity(access.identity_header)
    # The last review route matches every path below its prefix, so the other routes there come first.
    for routes in (
        SyncRoutes(parts.syncs, parts.counts, guard),
        AdviceRoutes(parts.advising, guard, identity),
        RoiRoutes(parts.accounting, guard, identity),
        SnoozeRoutes(parts.snoozing, guard, identity),
        MarkRoutes(parts.rules, guard, identity),
        RuleRoutes(parts.rules, guard, identity),
        DecisionRoutes(parts.decisions, guard, identity, parts.emit),
        ListRoutes(parts.review, parts.finding, guard, access.prefix),
        ModelRoutes(parts.learning, guard),
        ReviewRoutes(parts.review, guard, identity),
        ReviewerRoutes(identity, guard),
        MessageRoutes(parts.messages, guard),
        EventRoutes(parts.reporting, guard),
        SystemRoutes(parts.health, parts.hanging),
        MetricsRoutes(parts.metrics, guard),
        LiveRoutes(parts.live, guard, identity, parts.emit),
    ):
        api.include_router(routes.router)
    api.include_router(DescriptionRoutes(api.openapi, partial(describe_live, version, access.prefix)).router)
    return api
