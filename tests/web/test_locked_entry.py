"""An entry that somebody has locked: its own decision waits a moment, and no other request is delayed."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.support.waiting import assert_soon, show
from tests.support.websocket import Document, Page
from tests.web.conftest import Served

# More than the connections reserved for people.
PEOPLE = 9


def tells(document: Document, context: str) -> bool:
    entries = [each["entry"] for each in document.get("changes", [])]
    return any(entry and (entry["pattern_id"], entry["pattern_context"]) == ("free:1", context) for entry in entries)


def test_a_locked_entry_is_no_outage(served: Served) -> None:
    held, free = served.queue("held:1"), served.queue("free:1")
    with (
        Page(served.daemon.http_url) as page,
        ThreadPoolExecutor(max_workers=PEOPLE) as people,
        served.database.another_connection(autocommit=False) as somebody,
    ):
        page.wait_for_type("state")
        somebody.execute("SELECT FROM pattern_approvals WHERE pattern_id = 'held:1' FOR UPDATE")
        waiting = [people.submit(served.client.post, f"{held}/approve") for _ in range(PEOPLE)]
        told, ready = [], set()
        for number in range(5):
            said = len(page.received())
            written = time.monotonic()
            served.database.execute(
                "UPDATE pattern_approvals SET pattern_context = %s WHERE pattern_id = 'free:1'", str(number)
            )
            received = page.wait_for(partial(tells, context=str(number)), since=said)
            told.append(received.at - written)
            ready.add(served.client.get("/readyz").status_code)
        answers = [each.result(60) for each in waiting]
        somebody.rollback()
        show(f"with an entry held, another's change was told after {max(told):.2f} s at most")
        assert_soon(told)
        assert ready == {200}
        assert page.documents("outage") == []
        for answer in answers:
            assert answer.status_code == 503
            assert "ry again in a" in answer.json()["detail"]
            assert answer.headers["Retry-After"]
    assert served.daemon.lines("database.lost") == []
    assert served.client.post(f"{held}/approve").status_code == 200
    assert served.client.get(free).json()["status"] == "pending"
