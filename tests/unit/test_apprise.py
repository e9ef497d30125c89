"""Everything else goes through Apprise, where that is installed; here a stand-in is."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from enum import Enum
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from pattern_sync.delivery import Courier, check_apprise
from pattern_sync.domain.destinations import parse_destinations
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, Letter, MessageKind
from tests.support.asynchronous import run

TOKEN = "t0k3n"
URL = f"tgram://{TOKEN}/{TOKEN}"
LETTER = Letter("subject", "text/plain", "text")
NOW = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
NEEDS_NONE = "https://a.example mailto:a@b.example?via=smtp://c.example slack+https://d.example"


class NotifyFormat(Enum):
    TEXT = "text"


class FakeApprise:
    """Takes one URL, and does what the test wants."""

    added: list[str] = []  # noqa: RUF012 - the test looks at it
    told: list[dict[str, object]] = []  # noqa: RUF012 - same
    knows: bool | None = True
    result: bool | Exception = True
    seconds = 0.0

    @classmethod
    def instantiate(cls, url: str) -> object:
        if cls.knows is None:
            raise RuntimeError(url)
        return cls() if cls.knows else None

    def add(self, urls: list[str]) -> bool:
        assert isinstance(urls, list), "it takes a text for several URLs with commas between them"
        self.added.extend(urls)
        return bool(self.knows)

    def notify(self, **told: object) -> bool:
        time.sleep(self.seconds)
        self.told.append(told)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def apprise(monkeypatch: pytest.MonkeyPatch) -> type[FakeApprise]:
    class Fresh(FakeApprise):
        added: list[str] = []  # noqa: RUF012
        told: list[dict[str, object]] = []  # noqa: RUF012

    module = ModuleType("apprise")
    module.__spec__ = ModuleSpec("apprise", None)
    vars(module).update(Apprise=Fresh, NotifyFormat=NotifyFormat)
    monkeypatch.setitem(sys.modules, "apprise", module)
    return Fresh


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if it were not there, wherever the tests run


def deliver(deadline_seconds: float = 5.0) -> Delivery:
    courier = Courier(None, lambda: NOW, "https://review.example/", deadline_seconds)
    (destination,) = parse_destinations(URL)
    delivery = run(courier.deliver(destination, LETTER, "msg_1", MessageKind.TEST, NOW))
    assert TOKEN not in (delivery.reason or "")
    return delivery


def test_one_url_a_call_and_its_answer_is_the_outcome(apprise: type[FakeApprise]) -> None:
    assert deliver() == Delivery(DeliveryOutcome.DELIVERED)
    assert apprise.added == [URL]
    assert apprise.told == [{"title": "subject", "body": "text", "body_format": NotifyFormat.TEXT}]


@pytest.mark.parametrize(
    ("knows", "result", "words"),
    [
        (True, False, "could not send by tgram://"),
        (False, True, "does not know tgram://"),
        (True, RuntimeError(f"no way to {URL}"), "failed at tgram:// with RuntimeError"),
    ],
)
def test_whatever_it_does_is_a_failure_without_the_url(
    apprise: type[FakeApprise], *, knows: bool, result: bool | Exception, words: str
) -> None:
    apprise.knows, apprise.result = knows, result
    delivery = deliver()
    assert delivery.outcome is DeliveryOutcome.FAILED
    assert words in (delivery.reason or "")


def test_it_has_the_deadline_of_every_attempt(apprise: type[FakeApprise]) -> None:
    apprise.seconds = 1.0
    assert deliver(0.1).reason == "tgram did not answer within 0.1 s"


def test_it_does_not_hold_up_the_others(apprise: type[FakeApprise]) -> None:
    apprise.seconds = 0.3

    async def ticking() -> int:
        ticks = 0
        courier = Courier(None, lambda: NOW, "https://review.example/")
        task = asyncio.create_task(courier.deliver(parse_destinations(URL)[0], LETTER, "msg_1", MessageKind.TEST, NOW))
        while not task.done():
            ticks += 1
            await asyncio.sleep(0.01)
        return ticks

    assert run(ticking()) > 5


@pytest.mark.usefixtures("nothing_installed")
def test_where_it_is_not_installed_the_way_out_is_named_at_the_start_and_in_the_attempt() -> None:
    with pytest.raises(
        ValueError, match=r"^tgram:// .* not installed; .*pip install 'pattern-sync\[apprise\]'"
    ) as caught:
        check_apprise(parse_destinations(f"{NEEDS_NONE} {URL}"))
    assert TOKEN not in str(caught.value)
    check_apprise(parse_destinations(NEEDS_NONE))
    delivery = deliver()
    assert delivery.outcome is DeliveryOutcome.FAILED
    assert "pip install 'pattern-sync[apprise]'" in (delivery.reason or "")


def test_where_it_is_installed_it_says_what_it_knows(apprise: type[FakeApprise]) -> None:
    check_apprise(parse_destinations(f"{NEEDS_NONE} {URL}"))
    for answer in (False, None):
        apprise.knows = answer
        check_apprise(parse_destinations(NEEDS_NONE))
        with pytest.raises(ValueError, match=r"^tgram:// is mistyped, or misses a part") as caught:
            check_apprise(parse_destinations(URL))
        assert TOKEN not in str(caught.value)
