"""The application's responses in states that a healthy daemon never shows, in memory, without a server."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from starlette.types import ASGIApp, Message

from pattern_sync.accounting import Accounting
from pattern_sync.advising import Advising
from pattern_sync.database.advice import AdviceGateway
from pattern_sync.database.answers import AnswersGateway
from pattern_sync.database.detecting import ReportingGateway
from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.roi import SavingsGateway
from pattern_sync.database.rules import RulesGateway
from pattern_sync.database.telling import TellingGateway
from pattern_sync.detecting import HookReader, Reporting, Vocabulary, Words
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.learning import Learning
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.metrics.exposition import Metrics
from pattern_sync.observability.view import View
from pattern_sync.review import Decisions, Finding, Review, Snoozing
from pattern_sync.ruling import Rules
from pattern_sync.services.liveness import STEP_SECONDS
from pattern_sync.services.outage import Availability
from pattern_sync.services.supervisor import Supervisor
from pattern_sync.services.timings import Timings
from pattern_sync.sync.periodic import Sweeper
from pattern_sync.telling import Messages
from pattern_sync.web import live_routes, sync_routes
from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, Parts, create_app
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_reader import LiveReader
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock

PANEL = "http://localhost:9213"
SECRET = "postgresql://owner:secret@10.0.0.5/app"


class SlowSyncs:
    """Runs one sync until it is released."""

    def __init__(self) -> None:
        self.running = False
        self.go = asyncio.Event()

    async def run(self, _filter: SyncFilter, *, dry_run: bool) -> SyncResult:
        self.running = True
        await self.go.wait()
        return SyncResult(dry_run=dry_run)


def ignore(_: object) -> None:
    return


class Broken:
    """An application whose every statement raises as a bug does."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.syncs = SlowSyncs()
        self.database = Availability(self.clock, lambda _: None, lambda _: None)
        self.supervisor = Supervisor(self.clock, lambda: Backoff(lambda: 1.0, 1.0, 4.0))
        hanging = self.supervisor.hanging
        reviews = ReviewGateway(self._fetch)
        health = HealthReporter(
            View(self.clock), "1.2.3", self.clock, lambda: datetime(2026, 11, 23, tzinfo=UTC), lambda: 0, hanging
        )
        updates = LiveUpdates(
            LiveReader(reviews, self.clock),
            self.database.is_lost,
            lambda: False,
            ignore,
            self.supervisor.activity(LiveUpdates, self.database),
            self.clock,
            Timings(),
        )
        review, advising = Review(reviews), Advising(AdviceGateway(self._fetch))
        parts = Parts(
            review,
            Finding(reviews, review),
            advising,
            Accounting(SavingsGateway(self._fetch)),
            Learning(LearningGateway(self._fetch)),
            Decisions(reviews),
            AnswersGateway(self._fetch),
            Snoozing(reviews),
            self.syncs,
            reviews,
            Messages(TellingGateway(self._fetch)),
            Reporting(
                ReportingGateway(self._fetch), HookReader(Words(Vocabulary.shipped())), lambda: datetime.now(UTC)
            ),
            Rules(RulesGateway(self._fetch), lambda: datetime(2026, 11, 23, tzinfo=UTC)),
            health,
            updates,
            hanging,
            Metrics(),
            ignore,
            self.clock,
        )
        self.app = create_app(parts, Access(Tokens(), [PANEL], ["localhost"]), "1.2.3")

    @staticmethod
    async def _fetch(name: str, /, *arguments: object) -> Sequence[dict[str, Any]]:
        raise RuntimeError(f"{name} {arguments} at {SECRET}")


def asked(app: ASGIApp, use: Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await use(client)

    return run(go())


def test_a_bug_is_a_500_without_its_details() -> None:
    answer = asked(Broken().app, lambda client: client.get("/api/v1/patterns/pending", headers={"Origin": PANEL}))
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": "This is a bug in Pattern Sync. The daemon's log has the traceback.",
        "request_id": answer.headers["x-request-id"],
    }
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["access-control-allow-origin"] == PANEL


def test_a_bug_has_the_id_of_its_request_in_the_traceback() -> None:
    async def ask() -> None:
        transport = httpx.ASGITransport(cast("Any", Broken().app))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/api/v1/patterns/pending", headers={"X-Request-ID": "proxy-7f"})

    with pytest.raises(RuntimeError) as bug:
        run(ask())
    assert bug.value.__notes__ == ["request_id: proxy-7f"]


def test_a_service_that_hangs_is_a_reason_to_restart() -> None:
    broken = Broken()
    assert asked(broken.app, lambda client: client.get("/livez")).status_code == 200
    with broken.supervisor.activity(Sweeper, broken.database).liveness.working():
        broken.clock.seconds += STEP_SECONDS + 1
        answer = asked(broken.app, lambda client: client.get("/livez"))
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["sweeper"])


@pytest.mark.parametrize("path", ["/livez", "/", "/style.css"])
def test_a_head_is_answered_like_a_get(path: str) -> None:
    got, headed = (asked(Broken().app, lambda client, ask=ask: client.request(ask, path)) for ask in ("GET", "HEAD"))  # type: ignore[misc]
    assert headed.status_code == got.status_code == 200
    assert headed.headers["content-length"] == got.headers["content-length"]


def test_a_second_manual_sync_waits_for_the_first_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_routes, "TURN_SECONDS", 0.05)
    broken = Broken()

    async def two(client: httpx.AsyncClient) -> httpx.Response:
        first = asyncio.create_task(client.post("/api/v1/patterns/sync/run"))
        await settle(lambda: broken.syncs.running)
        second = await client.post("/api/v1/patterns/sync/run?dry_run=true")
        broken.syncs.go.set()
        assert (await first).status_code == 200
        return second

    answer = asked(broken.app, two)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Another manual sync is still running. Try again later."


def test_a_page_beyond_the_limit_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_routes, "MOST_PAGES", 0)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/api/v1/ws/patterns",
        "raw_path": b"/api/v1/ws/patterns",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    run(cast("Any", Broken().app)(scope, receive, send))
    assert sent[0]["status"] == 503
    assert b"pages are open already" in sent[1]["body"]
