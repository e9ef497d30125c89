"""Who reads what: pages that say anything, replicas that fall silent, payloads that grow too long."""

import json

import pytest

from pattern_sync.web.live_clients import LiveClient
from pattern_sync.web.presence import FORGET_SECONDS, LONGEST_PAYLOAD, REPEAT_SECONDS, Presence


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Clock) -> Presence:
    return Presence("here", clock)


def reading(pattern_id: str | None, reviewer: str | None) -> str:
    return json.dumps({"type": "reading", "pattern_id": pattern_id, "reviewer": reviewer})


def test_pages_are_shown_who_reads_what_whenever_it_changes(presence: Presence) -> None:
    ann, bob = LiveClient(), LiveClient()
    assert presence.to_show() is None
    presence.heard_page(ann, reading("a", "ann"), None)
    presence.heard_page(bob, reading("a", "bob"), None)
    assert presence.to_show() == {"a": ["ann", "bob"]}
    assert presence.to_show() is None
    presence.joined()
    assert presence.to_show() == {"a": ["ann", "bob"]}
    presence.heard_page(bob, reading("b", "bob"), None)
    assert presence.to_show() == {"a": ["ann"], "b": ["bob"]}
    presence.heard_page(ann, reading(None, "ann"), None)
    presence.left(bob)
    assert presence.to_show() == {}
    presence.joined()
    assert presence.to_show() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        reading("a", None),
        reading("a", "   "),
        reading("a", "x" * 300),
        reading("a\x00", "ann"),
        reading("a" * 3000, "ann"),
        '{"type": "reading", "pattern_id": 7, "reviewer": "ann"}',
        '{"type": "other", "pattern_id": "a", "reviewer": "ann"}',
        '{"type": "reading", "pattern_id": "a", "reviewer": "ann", "more": 1}',
    ],
)
def test_what_is_no_reading_reads_nothing(presence: Presence, text: str) -> None:
    client = LiveClient()
    presence.heard_page(client, reading("a", "ann"), None)
    assert presence.to_show() == {"a": ["ann"]}
    presence.heard_page(client, text, None)
    assert presence.to_show() == {}


def test_a_name_that_a_proxy_signed_in_precedes(presence: Presence) -> None:
    presence.heard_page(LiveClient(), reading("a", "eve"), "ann")
    assert presence.to_show() == {"a": ["ann"]}


def test_replicas_tell_each_other_and_a_silent_one_is_forgotten(presence: Presence, clock: Clock) -> None:
    there = Presence("there", clock)
    page = LiveClient()
    presence.heard_page(page, reading("a", "ann"), None)
    told = presence.to_tell()
    assert told is not None
    assert presence.to_tell() is None
    there.heard_replica(told)
    presence.heard_replica(told)
    there.heard_page(LiveClient(), reading("a", "bob"), None)
    assert there.to_show() == {"a": ["ann", "bob"]}
    assert presence.to_show() == {"a": ["ann"]}
    clock.seconds += REPEAT_SECONDS
    assert presence.to_tell() == told
    clock.seconds += FORGET_SECONDS + 1
    assert there.to_show() == {"a": ["bob"]}
    presence.left(page)
    assert json.loads(presence.to_tell() or "") == {"origin": "here", "readers": {}}
    clock.seconds += REPEAT_SECONDS
    assert presence.to_tell() is None


def test_a_payload_fits_into_a_notification_and_anything_else_is_ignored(presence: Presence) -> None:
    for number in range(2_000):
        presence.heard_page(LiveClient(), reading(f"pattern:{number}", "ann"), None)
    assert 100 < len(presence.to_tell() or "") <= LONGEST_PAYLOAD
    for strange in ("", "*", "{}", '{"origin": 7, "readers": {}}', '{"origin": "x", "readers": {"a": "ann"}}'):
        presence.heard_replica(strange)
    for number in range(500):
        presence.heard_replica(json.dumps({"origin": str(number), "readers": {f"far:{number}": ["eve"]}}))
    assert len([name for name in presence.to_show() or {} if name.startswith("far")]) == 100
