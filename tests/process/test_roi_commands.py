"""Results on the command line: recorded in one line, told in words, as JSON and as CSV, with exit codes."""

import csv
import io

from tests.support.books import PYTEST, Books
from tests.support.command import Finished, run_command
from tests.support.database import TestDatabase


def roi(database: TestDatabase, *arguments: str) -> Finished:
    return run_command("roi", *arguments, PATTERN_SYNC_DATABASE_URL=database.url)


def test_a_run_is_recorded_in_one_line_and_told(database: TestDatabase) -> None:
    books = Books(database)
    row_id = books.approve(days_ago=40, estimate=60)
    for run in range(5):
        books.log(row_id, "2.40", f"wf-{run}", days_ago=run + 1)
    told = roi(database, "record", PYTEST, "--usd", "0.41", "--workflow", "wf-9")
    assert (told.code, told.out) == (0, f"{PYTEST} has saved 0.41 USD; recorded in cost_savings_log.\n")
    shown = roi(database)
    assert shown.code == 0
    for words in ("1 approved pattern, 12.41 USD saved in 6 runs", "It got 16 % of what was promised", "60.00"):
        assert words in shown.out
    details = roi(database, "show", PYTEST)
    assert "9.31 USD, probably" in details.out
    assert "1 pattern of this kind got 16 % of what was promised." in details.out
    document = roi(database, "--json").document
    assert document["totals"]["saved_usd"] == 12.41
    (line,) = csv.DictReader(io.StringIO(roi(database, "--csv").out))
    assert (line["pattern_id"], line["saved_usd"], line["runs"]) == (PYTEST, "12.41", "6")
    (kind,) = csv.DictReader(io.StringIO(roi(database, "--csv", "--by", "kind").out))
    assert (kind["kind"], kind["saved_usd"]) == ("test:pytest", "12.41")


def test_without_a_record_it_says_how_to_record(database: TestDatabase) -> None:
    told = roi(database)
    assert told.code == 0
    assert "pattern-sync roi record SIGNATURE --usd 0.41 --workflow wf-1" in told.out


def test_bad_input_is_told_with_the_way_out(database: TestDatabase) -> None:
    for arguments, code, words in (
        (("record", "nope", "--usd", "1", "--workflow", "w"), 1, "There is no pattern 'nope'"),
        (("record", "nope", "--usd", "lots", "--workflow", "w"), 2, "usd is lots; it must be a number"),
        (("record", "nope", "--usd", "1", "--workflow", " "), 2, "workflow_id is blank"),
        (("record", "nope", "--usd", "1"), 2, "--workflow"),
        (("show", "nope"), 1, "The queue has no entry for 'nope'"),
        (("--csv", "--json"), 2, "exclude each other"),
    ):
        told = roi(database, *arguments)
        told.check_manners()
        assert (told.code, words in told.err) == (code, True), (arguments, told)
