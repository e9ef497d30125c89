"""Wrong tokens are slowed by address, in bounded memory."""

import pytest
from starlette.responses import Response
from starlette.types import Message

from pattern_sync.domain.facts import TokenRefused
from pattern_sync.web.middleware.wrong_tokens import (
    FREE_ANSWERS,
    LONGEST_SECONDS,
    MOST_ADDRESSES,
    STEP_SECONDS,
    Slowdown,
    WrongTokens,
)
from tests.support.asynchronous import run
from tests.support.fakes import Clock, RecordedFacts


def test_the_first_are_answered_at_once_and_then_ten_a_second() -> None:
    slowdown = Slowdown(Clock())
    waits = [slowdown.next("192.0.2.1") for _ in range(FREE_ANSWERS + 10)]
    assert max(waits[:FREE_ANSWERS]) < STEP_SECONDS / 1_000
    assert [round(wait / STEP_SECONDS) for wait in waits[FREE_ANSWERS:]] == list(range(1, 11))


def test_nobody_waits_longer_than_a_stop() -> None:
    slowdown = Slowdown(Clock())
    assert max(slowdown.next("192.0.2.1") for _ in range(10_000)) == LONGEST_SECONDS


def test_another_address_waits_for_nobody() -> None:
    slowdown = Slowdown(Clock())
    for _ in range(1_000):
        slowdown.next("192.0.2.1")
    assert slowdown.next("192.0.2.2") == 0


def test_after_a_pause_it_begins_anew() -> None:
    clock = Clock()
    slowdown = Slowdown(clock)
    for _ in range(1_000):
        slowdown.next("192.0.2.1")
    clock.seconds += LONGEST_SECONDS + FREE_ANSWERS * STEP_SECONDS
    assert slowdown.next("192.0.2.1") == 0


def test_many_addresses_take_no_more_memory() -> None:
    slowdown = Slowdown(Clock())
    for number in range(MOST_ADDRESSES * 3):
        slowdown.next(str(number))
    assert slowdown.known == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("status", "authorization", "told"),
    [(401, "Bearer x", 1), (200, "Bearer x", 0), (403, "Bearer x", 0), (401, "", 0)],
)
def test_only_a_wrong_token_is_told_and_slowed(status: int, authorization: str, told: int) -> None:
    facts = RecordedFacts()
    app = WrongTokens(Response("", status), facts, Clock())
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "headers": [(b"authorization", authorization.encode())],
        "client": ("2001:db8::7", 4711),
    }
    run(app(scope, receive, send))
    assert sent[0]["status"] == status
    assert facts == [TokenRefused("2001:db8::7")] * told
