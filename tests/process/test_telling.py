"""Daemons that tell people: in time, once, with nothing secret left behind, and an honest report where they cannot."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import httpx
import pytest

from pattern_sync import PatternSyncService
from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.hook import SECRET, Hook, hook
from tests.support.waiting import eventually

HASTY = Timings(
    telling_wait_seconds=0.5,
    telling_seconds=0.2,
    telling_pace_seconds=0.05,
    ruling_seconds=0.2,
    ruling_pace_seconds=0.05,
)
TOKEN = "path-token-nobody-may-read"


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as receiver:
        yield receiver


def settings(receiver: Hook) -> dict[str, str]:
    return {
        "PATTERN_SYNC_NOTIFY_URLS": f"{receiver.url}/hook/{TOKEN}",
        "PATTERN_SYNC_NOTIFY_SECRET": SECRET,
        "PATTERN_SYNC_NOTIFY_EVERY": "1",
    }


def telling_daemon(
    database: TestDatabase, receiver: Hook, *, rules: str = "on", quiet: str = ""
) -> AbstractContextManager[DaemonProcess]:
    wanted = settings(receiver)
    return running_daemon(
        database.url,
        timings=HASTY,
        PATTERN_SYNC_NOTIFY_URLS=wanted["PATTERN_SYNC_NOTIFY_URLS"],
        PATTERN_SYNC_NOTIFY_SECRET=wanted["PATTERN_SYNC_NOTIFY_SECRET"],
        PATTERN_SYNC_NOTIFY_EVERY=wanted["PATTERN_SYNC_NOTIFY_EVERY"],
        PATTERN_SYNC_NOTIFY_QUIET=quiet,
        PATTERN_SYNC_RULES=rules,
    )


def add_worth_telling(database: TestDatabase, name: str) -> None:
    database.add_pattern(name, potential_monthly_savings=50_000)


def posted(receiver: Hook) -> list[str]:
    return [pattern["pattern_id"] for post in receiver.posts for pattern in json.loads(post.body)["data"]["patterns"]]


def test_a_pattern_is_told_after_the_wait_once_and_signed(database: TestDatabase, receiver: Hook) -> None:
    with telling_daemon(database, receiver) as daemon:
        add_worth_telling(database, "worth:telling")
        database.add_pattern("not:worth", potential_monthly_savings=5_000)
        daemon.wait_for("message.sent")
        assert posted(receiver) == ["worth:telling"]
        waited = "SELECT extract(epoch FROM gathered_at - created_at)::float8 AS seconds FROM pattern_sync.messages"
        assert database.execute(waited)[0]["seconds"] >= HASTY.telling_wait_seconds
        add_worth_telling(database, "later")
        eventually(lambda: posted(receiver) == ["worth:telling", "later"])
        assert receiver.forged == []
        noted = httpx.get(f"{daemon.http_url}/api/v1/notifications").json()
        assert [(each["state"], each["told"], each["attempts"]) for each in noted] == [("sent", 1, 1)] * 2
        assert httpx.get(f"{daemon.http_url}/api/v1/system/health").json()["status"] == "ok"


def test_what_waits_when_it_is_switched_on_is_one_message(database: TestDatabase, receiver: Hook) -> None:
    with running_daemon(database.url):
        database.add_patterns(300, "old", potential_monthly_savings=50_000)
        eventually(lambda: database.count("pattern_approvals") >= 300)
    with telling_daemon(database, receiver) as daemon:
        daemon.wait_for("message.sent")
        eventually(lambda: not database.execute("SELECT 1 FROM pattern_sync.messages WHERE state = 'open'"))
    (post,) = receiver.posts
    said = json.loads(post.body)["data"]
    assert (said["count"], len(said["patterns"]), said["more"]) == (300, 20, 280)


def test_a_receiver_that_refuses_is_named_and_a_test_turns_its_channel_on(
    database: TestDatabase, receiver: Hook
) -> None:
    receiver.status = 404
    wanted = settings(receiver)
    with telling_daemon(database, receiver) as daemon:
        add_worth_telling(database, "refused")
        for times in (1, 2, 3):
            daemon.wait_for("message.failed", times=times)
            database.execute("UPDATE pattern_sync.messages SET due_at = now() WHERE state = 'open'")
        reasons = eventually_reasons(daemon)
        assert "Nothing is sent to 127.0.0.1 any more" in reasons
        assert TOKEN not in reasons
        assert httpx.get(f"{daemon.http_url}/readyz").status_code == 200
        time.sleep(3 * HASTY.telling_seconds)  # nothing more may come: there is nothing to wait for
        assert len(receiver.posts) == 3
        refused = run_command("notify", "test", environ=wanted, PATTERN_SYNC_DATABASE_URL=database.url)
        assert (refused.code, "refused" in refused.out) == (1, True)
        receiver.status = 204
        tested = run_command("notify", "test", environ=wanted, PATTERN_SYNC_DATABASE_URL=database.url)
        assert (tested.code, "delivered" in tested.out) == (0, True)
        daemon.wait_for("message.sent")
        eventually(lambda: httpx.get(f"{daemon.http_url}/api/v1/system/health").json()["status"] == "ok")


def eventually_reasons(daemon: DaemonProcess) -> str:
    def reasons() -> str:
        return " ".join(httpx.get(f"{daemon.http_url}/api/v1/system/health").json()["reasons"])

    eventually(reasons)
    return reasons()


def test_nothing_secret_is_logged_or_stored(database: TestDatabase, receiver: Hook) -> None:
    receiver.status = 503
    with telling_daemon(database, receiver) as daemon:
        add_worth_telling(database, "a")
        daemon.wait_for("message.failed")
        shown = daemon.text + httpx.get(f"{daemon.http_url}/api/v1/notifications").text
        shown += httpx.get(f"{daemon.http_url}/metrics").text
    for table in ("messages", "told", "channels"):
        shown += str(database.execute(f"SELECT * FROM pattern_sync.{table}"))
    assert "127.0.0.1" in shown
    assert TOKEN not in shown
    assert SECRET.removeprefix("whsec_") not in shown


def quiet_now() -> str:
    """Return hours around this one, in which nobody is to be disturbed."""
    hour = datetime.now(UTC).hour
    return f"{(hour - 1) % 24:02}:00-{(hour + 2) % 24:02}:00 UTC"


def add_rules_that_nobody_looked_at(database: TestDatabase, *names: str) -> None:
    for name in names:
        PatternSyncService(database.url).set_rule(name, reviewer="ann", verdict="approve", max_savings=500.0)
        database.execute("SELECT pattern_sync.switch_rule(%s, 1, 'on', 'ann')", name)
        database.execute("UPDATE pattern_sync.rules SET looked_at = now() - interval '13 hours'")


def test_rules_that_paused_in_quiet_hours_of_a_daemon_that_died_are_told_once(
    database: TestDatabase, receiver: Hook
) -> None:
    add_rules_that_nobody_looked_at(database, "cheap", "junk")
    with telling_daemon(database, receiver, quiet=quiet_now()) as dying:
        dying.wait_for("rule.paused", times=2)
        # Nothing may come: there is nothing to wait for.
        time.sleep(HASTY.telling_wait_seconds + 2 * HASTY.telling_seconds)
        dying.kill()
    assert receiver.posts == []
    with telling_daemon(database, receiver, rules="off") as daemon:
        add_worth_telling(database, "worth:telling")
        daemon.wait_for("message.sent")
        assert posted(receiver) == ["worth:telling"], "where rules are forbidden, there is nothing to be told of them"
    receiver.posts.clear()
    with telling_daemon(database, receiver) as one, telling_daemon(database, receiver) as two:
        eventually(lambda: one.lines("message.sent") or two.lines("message.sent"))
        time.sleep(5 * HASTY.telling_seconds)  # nothing more may come: there is nothing to wait for
    (post,) = receiver.posts
    said = json.loads(post.body)
    assert said["type"] == "pattern_sync.rule_paused"
    assert [(each["rule"], each["paused_because"][:26]) for each in said["data"]["rules"]] == [
        ("cheap", "no daemon looked at it for"),
        ("junk", "no daemon looked at it for"),
    ]
    assert receiver.forged == []
    listed = run_command("notify", "list", "--json", PATTERN_SYNC_DATABASE_URL=database.url).document
    assert [(each["kind"], each["state"], each["told"]) for each in listed][:1] == [("rule_paused", "sent", 2)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"PATTERN_SYNC_NOTIFY_SECRET": ""}, "there is no PATTERN_SYNC_NOTIFY_SECRET"),
        ({"PATTERN_SYNC_NOTIFY_SECRET": "whsec_c2hvcnQ="}, "PATTERN_SYNC_NOTIFY_SECRET: the first secret has 5 bytes"),
        ({"PATTERN_SYNC_NOTIFY_URLS": "https://u:pw@x.example/"}, "PATTERN_SYNC_NOTIFY_URLS: the first URL"),
        ({"PATTERN_SYNC_NOTIFY_URLS": "http://169.254.169.254/"}, "PATTERN_SYNC_NOTIFY_URLS: the first URL"),
        ({"PATTERN_SYNC_NOTIFY_QUIET": "22:00-07:00"}, "PATTERN_SYNC_NOTIFY_QUIET: '22:00-07:00' names no time zone"),
        ({"PATTERN_SYNC_NOTIFY_QUIET": "00:00-24:00 UTC"}, "is the whole day"),
        ({"PATTERN_SYNC_NOTIFY_DIGEST": "sometimes"}, "PATTERN_SYNC_NOTIFY_DIGEST: 'sometimes'"),
        ({"PATTERN_SYNC_NOTIFY_URLS": "discord://a/b"}, "pip install 'pattern-sync[apprise]'"),
        ({"PATTERN_SYNC_NOTIFY_EVERY": "0"}, "PATTERN_SYNC_NOTIFY_EVERY"),
    ],
)
def test_wrong_settings_are_refused_by_name(receiver: Hook, wrong: dict[str, str], told: str) -> None:
    done = run_command(
        "run", "--check", environ={**settings(receiver), **wrong}, PATTERN_SYNC_DATABASE_URL="postgresql://h/d"
    )
    assert done.code == 2
    assert told in done.err
    assert "pw@" not in done.err


def test_without_destinations_there_is_nothing_to_test(database: TestDatabase) -> None:
    done = run_command("notify", "test", PATTERN_SYNC_DATABASE_URL=database.url)
    assert (done.code, "PATTERN_SYNC_NOTIFY_URLS is not set" in done.err) == (1, True)
    assert run_command("notify", "list", "--json", PATTERN_SYNC_DATABASE_URL=database.url).document == []
    gone = run_command("notify", "retry", "7", PATTERN_SYNC_DATABASE_URL=database.url)
    assert (gone.code, "There is no message 7" in gone.err) == (1, True)
