"""Lists over HTTP: searched, sorted, counted, page by page."""

import csv
import io
import re

import pytest

from tests.web.conftest import Served

API = "/api/v1/patterns"


@pytest.fixture
def filled(served: Served) -> Served:
    served.database.empty("pattern_approvals")
    for number in range(5):
        served.database.add_entry(
            f"test:sort:{number}", estimated_savings_usd=1_000 * (number + 1), confidence_score=0.9 - number / 10
        )
    return served


def names(served: Served, **query: str | int) -> list[str]:
    answer = served.client.get(API, params=query)
    assert answer.status_code == 200, answer.text
    return [entry["pattern_id"].rpartition(":")[2] for entry in answer.json()]


def test_a_list_is_searched_sorted_and_counted(filled: Served) -> None:
    assert names(filled, sort="savings") == ["4", "3", "2", "1", "0"]
    assert names(filled, sort="-savings") == ["0", "1", "2", "3", "4"]
    assert names(filled, q="savings:2k..3k", sort="confidence") == ["1", "2"]
    answer = filled.client.get(API, params={"q": "savings:>=2000", "limit": 1})
    assert (answer.headers["Total-Count"], len(answer.json())) == ("4", 1)
    assert filled.client.get(f"{API}/pending").headers["Total-Count"] == "5"


@pytest.mark.parametrize("sort", ["impact", "-name", "evidence", "last-seen"])
def test_the_link_leads_through_all_pages_of_the_same_list(filled: Served, sort: str) -> None:
    everything = names(filled, sort=sort, q="type:test")
    walked, url = [], f"{API}?limit=2&sort={sort}&q=type:test"
    while url:
        answer = filled.client.get(url)
        walked += [entry["pattern_id"].rpartition(":")[2] for entry in answer.json()]
        link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        url = link[1] if link else ""
    assert walked == everything
    assert len(set(walked)) == 5


def test_a_machine_that_pages_by_name_misses_nothing_while_figures_move(filled: Served) -> None:
    answer = filled.client.get(API, params={"limit": 3, "sort": "name"})
    filled.database.execute("UPDATE pattern_approvals SET estimated_savings_usd = 9e6 WHERE pattern_id LIKE '%%:4'")
    link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers["Link"])
    assert link
    rest = filled.client.get(link[1]).json()
    assert len({entry["pattern_id"] for entry in [*answer.json(), *rest]}) == 5


def test_only_what_changed_since_is_listed(filled: Served) -> None:
    assert len(names(filled)) == 5
    now = filled.database.execute("SELECT clock_timestamp()::text AS now")[0]["now"].replace(" ", "T") + ":00"
    assert names(filled, updated_since=now) == []
    filled.database.execute("UPDATE pattern_approvals SET occurrence_count = 7 WHERE pattern_id LIKE '%%:3'")
    assert names(filled, updated_since=now) == ["3"]
    groups = filled.client.get(f"{API}/groups", params={"by": "target", "updated_since": now}).json()
    assert [(group["key"], group["count"]) for group in groups] == [("3", 1)]


@pytest.mark.parametrize("name", ["sort", "offset", "cursor"])
def test_groups_have_an_order_of_their_own_and_one_page(filled: Served, name: str) -> None:
    answer = filled.client.get(f"{API}/groups", params={"by": "kind", name: "0"})
    assert (answer.status_code, answer.json()["fields"][0]["loc"]) == (422, ["query", name])


def test_a_group_is_listed_by_its_key_and_selected_as_a_whole(filled: Served) -> None:
    filled.database.add_entry("other:kind:9", estimated_savings_usd=500)
    answer = filled.client.get(f"{API}/groups", params={"by": "kind", "limit": 1})
    assert answer.headers["Total-Count"] == "2"
    (group,) = answer.json()
    assert (group["key"], group["count"], group["savings_usd"]) == ("test:sort", 5, 15_000)
    of_group = {"group_by": "kind", "group_key": group["key"]}
    assert names(filled, sort="name", **of_group) == ["0", "1", "2", "3", "4"]
    selected = filled.client.get(f"{API}/ids", params={"q": "savings:>1000", "sort": "name", **of_group}).json()
    assert selected["ids"] == [f"test:sort:{number}" for number in range(1, 5)]
    assert (selected["total"], selected["savings_usd"]) == (4, 14_000)
    assert [entry["pattern_id"] for entry in selected["largest"]] == [f"test:sort:{number}" for number in (4, 3, 2, 1)]


def test_a_list_is_saved_as_csv(filled: Served) -> None:
    answer = filled.client.get(f"{API}.csv", params={"sort": "name", "q": "savings:>=2000"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "patterns.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["pattern_id"] for row in rows] == [f"test:sort:{number}" for number in range(1, 5)]
    assert float(rows[0]["estimated_savings_usd"]) == 2000
    assert filled.client.get(f"{API}.csv", params={"q": "savngs:>5"}).status_code == 422


def test_similar_entries_of_an_unknown_one_are_not_found(served: Served) -> None:
    assert served.client.get(f"{API}/nowhere/similar").status_code == 404


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"q": "savngs:>5"}, "savings is meant"),
        ({"q": "x" * 1_001}, "1000"),
        ({"sort": "size"}, "sort is 'size'"),
        ({"offset": "-1"}, "offset"),
        ({"updated_since": "2026-01-01T00:00:00"}, "updated_since"),
        ({"snoozed": "maybe"}, "snoozed"),
        ({"group_by": "kind"}, "group_by and group_key belong together"),
        ({"cursor": "x"}, "Link header"),
    ],
)
def test_what_cannot_be_asked_is_named(served: Served, parameters: dict[str, str], words: str) -> None:
    answer = served.client.get(API, params=parameters)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
