"""Pictures of the review page over a believable queue: python -m tests.support.screenshots FOLDER."""

import json
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from playwright.sync_api import expect

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from pattern_sync.simulation import SimulatedPattern, invent_patterns
from tests.support.browser import Tabs, find_chromium, running_chromium
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.review_page import ReviewPage
from tests.support.seed import LAST_SEEN, SPAN, WORKFLOWS, add_occurrences
from tests.support.waiting import eventually

BEST = "sdlc:full:all"
PATTERNS = 60
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 780}
DECISIONS = [
    ("approve", "ann", "Saves the nightly run an hour."),
    ("approve", "bob", "Same steps in every workflow of last week."),
    ("reject", "ann", "Only ever seen in one repository."),
    ("approve", "cleo", None),
    ("reject", "bob", "The steps differ too much to be one tool."),
    ("approve", "ann", "Covered by the team's own script already; keep that one."),
]
COMMENTS = [
    ("bob", "Half of these come from the release branch. Ann, is that the one you meant to keep?"),
    ("ann", "Yes. The sequence is the same in all twelve workflows that I looked at."),
]


class Queue:
    """A queue as it is after some weeks: some patterns pending, some decided, some with comments."""

    def __init__(self, database: TestDatabase) -> None:
        self._database = database
        self._chance = random.Random(7)

    def detect(self) -> None:
        """Write what a detector has found, under names without the simulation's running number."""
        worth_it = [each for each in invent_patterns(600, seed=7) if each.monthly_savings >= 1_000]
        found = {each.signature.partition("-")[0]: each for each in worth_it}
        found.pop(BEST, None)
        # In one transaction: an entry takes its sessions when it is queued.
        self._database.execute("BEGIN")
        for signature, pattern in list(found.items())[:PATTERNS]:
            self._write(signature, pattern)
        row = self._database.add_pattern(
            BEST,
            typical_input_pattern="Plan, build, test, review and ship an issue from its number alone.",
            typical_operations=["Read", "Grep", "Edit", "Write", "Bash"],
            avg_cost_with_llm=2.4757,
            avg_cost_with_tool=0.1238,
        )
        add_occurrences(self._database, row, WORKFLOWS, LAST_SEEN - SPAN, LAST_SEEN)
        self._database.execute("COMMIT")

    def age(self) -> None:
        """Spread the entries over the last weeks."""
        self._database.execute(
            "UPDATE pattern_approvals SET created_at = now() - (1 + 13 * id) * interval '37 minutes' WHERE id < %s",
            1000,
        )

    def review(self, http_url: str) -> None:
        """Decide and comment as people do."""
        with httpx.Client(base_url=f"{http_url}/api/v1/patterns/") as client:
            waiting = [entry["pattern_id"] for entry in client.get("pending", params={"limit": 500}).json()]
            for signature, (action, reviewer, text) in zip(waiting[2:], DECISIONS, strict=False):
                said = {"notes" if action == "approve" else "reason": text, "reviewer": reviewer}
                client.post(f"{quote(signature, safe='')}/{action}", json=said).raise_for_status()
            for reviewer, comment in COMMENTS:
                said = {"comment": comment, "reviewer": reviewer}
                client.post(f"{quote(BEST, safe='')}/comment", json=said).raise_for_status()

    def decide_everything(self) -> None:
        self._database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE status = 'pending'")

    def _write(self, signature: str, pattern: SimulatedPattern) -> None:
        times = int(self._chance.lognormvariate(4.5, 1.2)) + 5
        cost = self._chance.uniform(2, 20)
        row = self._database.add_pattern(
            signature,
            pattern_type=pattern.pattern_type,
            typical_input_pattern=f"Run {signature.split(':')[1]} and fix what fails.",
            typical_operations=json.loads(pattern.operations),
            confidence_score=pattern.final_confidence,
            occurrence_count=times,
            potential_monthly_savings=pattern.monthly_savings,
            avg_cost_with_llm=round(cost, 4),
            avg_cost_with_tool=round(cost * self._chance.choice([0.05, 0.113, 0.237]), 4),
        )
        # As detectors differ: some record nothing, some a part, and most everything.
        share = self._chance.choice([0, 0.2, 1, 1, 1])
        self._note_sessions(row, round(share * times))

    def _note_sessions(self, row: int, count: int) -> None:
        self._database.execute(
            "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)"
            " SELECT %s, 'wf-' || n, now() - n %% 29 * interval '1 day' FROM unnest(%s::integer[]) AS n",
            row,
            self._chance.sample(range(10_000, 99_999), count),
        )


class Camera:
    """Opens the page in a window of some kind, and takes pictures of it."""

    def __init__(self, tabs: Tabs, folder: Path) -> None:
        self._tabs = tabs
        self._folder = folder

    def open(self, url: str, *, selected: bool = True, **context: object) -> ReviewPage:
        path = f"/#pattern={quote(BEST, safe='')}" if selected else "/"
        page = self._tabs.open(url, path=path, **{"viewport": WIDE, "reduced_motion": "reduce", **context}).until_live()
        if selected:
            expect(page.title).to_have_text(BEST)
            page.until_details()
        return page

    def take(self, page: ReviewPage, name: str) -> None:
        page.page.screenshot(path=self._folder / f"{name}.png")


def take_all(folder: Path, program: str) -> None:
    """Write every picture into a folder."""
    with _database() as database, running_chromium(program) as browser, Tabs(browser) as tabs:
        queue = Queue(database)
        camera = Camera(tabs, folder)
        with running_daemon(database.url) as daemon:
            queue.detect()
            _wait_until_queued(database)
            queue.age()
            queue.review(daemon.http_url)
            left_open = _take_of_a_full_queue(camera, daemon)
        expect(left_open.banner).to_be_visible()
        camera.take(left_open, "connection-lost")
        queue.decide_everything()
        with running_daemon(database.url) as daemon:
            camera.take(camera.open(daemon.http_url, selected=False), "empty")


def _take_of_a_full_queue(camera: Camera, daemon: DaemonProcess) -> ReviewPage:
    url = daemon.http_url
    page = camera.open(url)
    camera.take(page, "light")
    page.press("r").sign("ann")["decide-text"].fill("Seen in one repository only, and it was retired last week.")
    camera.take(page, "dialog")
    page.press("Escape")
    camera.take(camera.open(url, color_scheme="dark"), "dark")
    narrow = camera.open(url, selected=False, viewport=NARROW, has_touch=True, is_mobile=True)
    camera.take(narrow, "narrow-list")
    narrow.select(BEST)
    camera.take(narrow, "narrow-details")
    return page


@contextmanager
def _database() -> Iterator[TestDatabase]:
    with tempfile.TemporaryDirectory(prefix="pattern-sync-pictures-") as folder:
        Path(folder).chmod(0o755)  # under root, the server runs as another user, who has to enter the folder
        with EmbeddedServer(Path(folder) / "server", durable=False) as server:
            Installer(DatabaseAddress.parse(server.url)).migrate()
            database = TestDatabase(server.url, "pictures")
            with database.connect():
                yield database


def _wait_until_queued(database: TestDatabase) -> None:
    eventually(lambda: database.count("pattern_approvals") == PATTERNS + 1, what="the queue")


def main() -> None:
    """Take the pictures into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.support.screenshots FOLDER")
    program = find_chromium()
    if program is None:
        sys.exit("There is no Chromium here; install the distribution's package `chromium`.")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    take_all(folder, program)


if __name__ == "__main__":
    main()
