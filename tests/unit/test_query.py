"""The query language of the search field."""

import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.query import FIELDS, FLAGS, parse_query

DAY = 86_400.0


@pytest.mark.parametrize("text", ["", "  ", "\t\n"])
def test_an_empty_query_asks_for_nothing(text: str) -> None:
    assert parse_query(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lint", {"words": ["lint"]}),
        ("-lint", {"without_words": ["lint"]}),
        ('"two words" -"and not these"', {"words": ["two words"], "without_words": ["and not these"]}),
        # Names of patterns have colons.
        ("sdlc:full:all", {"words": ["sdlc:full:all"]}),
        ("-sdlc:full", {"without_words": ["sdlc:full"]}),
        ('"type:test"', {"words": ["type:test"]}),
        ("type:Test type:build -type:git", {"type": ["Test", "build"], "not_type": ["git"]}),
        ("kind:sdlc:full", {"kind": ["sdlc:full"]}),
        ('by:"Ann Smith"', {"by": ["Ann Smith"]}),
        ('type:"a→b" target:a->b', {"type": ["a→b"], "target": ["a->b"]}),
        ("shape:Read->Edit shape:Grep→Edit", {"shape": ["Read->Edit", "Grep->Edit"]}),
        ("flag:counted-twice -flag:no-steps", {"flag": ["counted-twice"], "not_flag": ["no-steps"]}),
        ("flag:any", {"flagged": True}),
        ("likely:reject", {"folded": True}),
        ("-likely:Reject", {"folded": False}),
        ("-flag:carries-queue", {"carries": False}),
        ("savings:>=5000", {"min_savings": 5000.0}),
        ("savings:>5k", {"min_savings": math.nextafter(5000, math.inf)}),
        ("-savings:>5,000", {"max_savings": 5000.0}),
        ("evidence:1.5m", {"min_evidence": 1.5e6, "max_evidence": 1.5e6}),
        ("conf:>=90 conf:<=95%", {"min_confidence": 0.9, "max_confidence": 0.95}),
        ("confidence:85", {"min_confidence": 0.85, "max_confidence": 0.85}),
        ("seen:10..100 workflows:<3", {"min_occurrences": 10.0, "max_occurrences": 100.0, "max_workflows": 3 - 2**-51}),
        ("age:>=7d quiet:<=12h", {"min_age": 7 * DAY, "max_quiet": DAY / 2}),
        # Of several bounds the narrowest counts.
        ("savings:>=1 savings:>=3 savings:>=2", {"min_savings": 3.0}),
    ],
)
def test_terms_become_what_sql_looks_for(text: str, wanted: Mapping[str, object]) -> None:
    assert parse_query(text) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("savngs:>5000", ("'savngs:>5000'", "savings is meant", "Fields are")),
        ("cost:>5", ("there is no field cost", "Fields are")),
        ("flag:counted", ("'flag:counted'", "counted-twice")),
        ("savings:lots", ("'lots' is no number", "5k")),
        ("savings:>", ("is no number",)),
        ("savings:50%", ("is no number",)),
        ("age:>7", ("'7' is no duration", "7d")),
        ("savings:10..1", ("ends before it begins",)),
        ("-savings:1..10", ("cannot be left out",)),
        ("-savings:5", ("cannot be left out",)),
        ("type:", ("has no value",)),
        ('type:""', ("has no value",)),
        ('"open', ("close the quotation mark",)),
        ('type:"open and more', ("close the quotation mark",)),
        ('-"open', ("close the quotation mark",)),
        (f"savings:>1{',000' * 100}", ("is no number",)),
        ("-", ("stands alone",)),
        ("x" * 1_001, ("1,001 characters", "1,000")),
        (" ".join("x" * 51), ("50 terms",)),
        ("nul\0", ("NUL",)),
        ("half\ud800", ("surrogate",)),
    ],
)
def test_a_query_that_cannot_be_read_says_which_term_and_what_is_allowed(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_query(text)
    for word in words:
        assert word in str(refusal.value)


PIECES = st.one_of(
    st.sampled_from(FIELDS).map(lambda name: f"{name}:"),
    st.sampled_from(FLAGS),
    st.sampled_from(["-", ">", "<=", "..", '"', " ", "5k", "7d", "→", ":", "%"]),
    st.text(max_size=5),
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_refused_and_what_is_read_can_be_sent(text: str) -> None:
    try:
        wanted = parse_query(text)
    except InvalidInput:
        return
    assert json.loads(json.dumps(wanted, allow_nan=False)) == wanted
