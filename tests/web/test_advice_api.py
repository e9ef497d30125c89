"""The endpoints of the advice."""

from tests.web.conftest import Served, path_of

API = "/api/v1/patterns"


def test_a_pattern_that_only_just_misses_is_shown_and_queued_by_hand(served: Served) -> None:
    served.database.add_pattern("near/miss", potential_monthly_savings=990)
    nearest = served.client.get(f"{API}/nearest").json()
    assert [(each["pattern_id"], each["outcome"]) for each in nearest] == [("near/miss", "short")]
    assert nearest[0]["shortfalls"][0]["missing_by"] == 10
    queued = served.client.post(f"{path_of('near/miss')}/queue", json={"reviewer": "ann"})
    assert (queued.status_code, queued.json()) == (200, {"pattern_id": "near/miss", "reviewer": "ann"})
    assert served.client.get(path_of("near/miss")).json()["status"] == "pending"
    again = served.client.post(f"{path_of('near/miss')}/queue")
    assert again.status_code == 409
    assert "It is in the queue" in again.json()["detail"]
    assert served.client.get(f"{API}/nearest").json() == []


def test_an_unknown_pattern_is_not_queued(served: Served) -> None:
    answer = served.client.post(f"{path_of('never there')}/queue")
    assert answer.status_code == 404
    assert "never there" in answer.json()["detail"]


def test_prices_and_rates_are_served_before_the_first_decision(served: Served) -> None:
    advice = served.client.get(f"{API}/advice").json()
    assert (advice["decided"], len(advice["prices"])) == (0, 1)
    assert (advice["prices"][0]["min_confidence"], advice["prices"][0]["pending_shown"]) == (70, 0)
    rates = served.client.get(f"{API}/rates", params={"id": "never there"}).json()
    assert rates == {
        "kind": None,
        "of_kind": {"approved": 0, "decided": 0},
        "overall": {"approved": 0, "decided": 0},
        "expected": None,
    }


def test_a_limit_out_of_bounds_is_named(served: Served) -> None:
    answer = served.client.get(f"{API}/nearest", params={"limit": 21})
    assert answer.status_code == 422
    assert "20" in answer.json()["detail"]
