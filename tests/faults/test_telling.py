"""Messages to people while their senders are killed: none is lost, and what comes twice has the same key and bytes."""

import random
import time
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest

from pattern_sync.domain.destinations import parse_destinations
from pattern_sync.services.timings import Timings
from tests.support.daemon import DaemonProcess
from tests.support.database import TestDatabase
from tests.support.hook import SECRET, hook
from tests.support.waiting import eventually, show

pytestmark = pytest.mark.slow

DAEMONS = 3
CHANNELS = 10
MESSAGES = 1_000
KILL_EVERY_SECONDS = 0.4
TIMINGS = Timings(telling_seconds=0.1, telling_pace_seconds=0.01, telling_lease_seconds=1.0)
OPEN = "SELECT 1 FROM pattern_sync.messages WHERE state <> 'sent' LIMIT 1"
ADD = (
    "INSERT INTO pattern_sync.messages (channel, kind, due_at, attempts, gathered_at, letter)"
    " SELECT channel, 'high_value', now(), 1, now(), jsonb_build_object("
    "     'subject', 's', 'media_type', 'application/json', 'text', channel || n)"
    " FROM unnest(%s::text[]) AS channel, generate_series(1, %s) AS n"
)


def test_no_message_is_lost_and_none_comes_twice_under_two_keys(database: TestDatabase) -> None:
    with hook() as receiver, ExitStack() as stack:
        receiver.misbehaves = True
        urls = " ".join(f"{receiver.url}/hook/{number}" for number in range(CHANNELS))
        channels = [each.channel for each in parse_destinations(urls)]
        database.execute(ADD, channels, MESSAGES // CHANNELS)

        def start() -> DaemonProcess:
            daemon = DaemonProcess(
                database.url,
                timings=TIMINGS,
                PATTERN_SYNC_NOTIFY_URLS=urls,
                PATTERN_SYNC_NOTIFY_SECRET=SECRET,
            )
            stack.callback(daemon.kill)
            return daemon

        daemons = [start() for _ in range(DAEMONS)]
        kills = 0
        begun = time.monotonic()
        while database.execute(OPEN):
            assert time.monotonic() - begun < 300, database.execute(
                "SELECT state, count(*) FROM pattern_sync.messages GROUP BY 1"
            )
            time.sleep(KILL_EVERY_SECONDS)
            # A failed attempt would wait for seconds.
            database.execute("UPDATE pattern_sync.messages SET due_at = now() WHERE state = 'open' AND due_at > now()")
            victim = random.randrange(DAEMONS)
            daemons[victim].kill()
            daemons[victim] = start()
            kills += 1
        eventually(lambda: not database.execute(OPEN))
        texts = defaultdict(set)
        for post in receiver.posts:
            texts[post.key].add(post.body)
        twice = sum(times > 1 for times in Counter(post.key for post in receiver.posts).values())
        show(f"{MESSAGES} messages, {kills} kills: {len(texts)} came, {twice} more than once")
        assert len(texts) == MESSAGES
        assert all(len(bodies) == 1 for bodies in texts.values())
        assert receiver.forged == []
