"""The application that the server serves, put together from its parts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pattern_sync.domain.facts import Emit
from pattern_sync.observability.health import HealthReporter
from pattern_sync.review import Review
from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.exception_handlers import install_exception_handlers
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_routes import LiveRoutes
from pattern_sync.web.middleware.bodies import BodyLimit
from pattern_sync.web.middleware.headers import ResponseHeaders
from pattern_sync.web.middleware.origins import HostCheck, OriginCheck
from pattern_sync.web.middleware.routing import HeadAsGet, RawPatternIds
from pattern_sync.web.middleware.tokens import TokenFirst
from pattern_sync.web.review_routes import ReviewRoutes
from pattern_sync.web.sync_routes import Counts, SyncRoutes, Syncs
from pattern_sync.web.system_routes import SystemRoutes

STATIC = Path(__file__).with_name("static")
_ABOUT = """
The review queue over HTTP. Tokens are sent as `Authorization: Bearer TOKEN`.

Live updates: a WebSocket at `/api/v1/ws/patterns` (subprotocol `pattern-sync.v1`; browsers add `bearer.` and the token
in base64url as a second one). The first message is `{"type": "state", "counts": …, "entries": …}`, and so is one after
every gap; then `{"type": "changes", "counts": …, "changes": [{"change", "pattern_id", "entry"}]}`: the entry as it is
now, null where it was removed, and as a hint at what happened `queued`, `refreshed` (figures or other columns, of an
entry in whatever status), `decided` (its status became a decision), `commented` or `removed`. While the daemon has
lost its database the message is `{"type": "outage"}`, and a state follows when it is over. Where there is nothing to
tell for 15 seconds it is `{"type": "heartbeat"}`: a connection that is silent for much longer is dead.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in: tokens, other origins whose pages may call, and the names that lead here."""

    tokens: Tokens
    origins: Collection[str]
    host_names: Collection[str]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    review: Review
    syncs: Syncs
    counts: Counts
    health: HealthReporter
    live: LiveUpdates
    hanging: Callable[[], list[str]]
    emit: Emit


def create_app(parts: Parts, access: Access, version: str) -> ASGIApp:
    """Return the application; what a request passes first is named last."""
    api = FastAPI(
        title="Pattern Sync",
        version=version,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: f"{route.tags[0]}_{route.name}",
    )
    install_exception_handlers(api, parts.emit)
    guard = Guard(access.tokens)
    # The review's last route takes every path below its prefix, so it comes after the sync's.
    for routes in (
        SyncRoutes(parts.syncs, parts.counts, guard),
        ReviewRoutes(parts.review, guard),
        SystemRoutes(parts.health, parts.hanging),
        LiveRoutes(parts.live, guard),
    ):
        api.include_router(routes.router)
    api.mount("/", StaticFiles(directory=STATIC, html=True))
    app: ASGIApp = HeadAsGet(RawPatternIds(api))
    app = TokenFirst(BodyLimit(app), guard)
    app = CORSMiddleware(
        app,
        allow_origins=list(access.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Reviewer"],
        allow_credentials=True,  # a panel may ask for it; there are no cookies here
        expose_headers=["Link"],
        max_age=600,
    )
    app = OriginCheck(app, access.origins)
    app = HostCheck(app, access.host_names)
    return ResponseHeaders(app)
