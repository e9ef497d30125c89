"""What a message looks like at each kind of destination, however hostile the names in it are."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_sync.delivery import render
from pattern_sync.domain.destinations import Destination, DestinationKind
from pattern_sync.domain.messages import LARGEST_BODY, MOST_NAMED, Message, MessageKind, ToldPattern, ToldPause
from pattern_sync.domain.rules import RULE_NAME, RuleVerdict

WEBHOOK, CHAT, MAIL, OTHER = (Destination(kind, "0" * 12, "host.example", "url") for kind in DestinationKind)
DESTINATIONS = [WEBHOOK, CHAT, MAIL, OTHER]
FOR_PEOPLE = [CHAT, MAIL, OTHER]
PAGE = "https://review.example/patterns/"
HOSTILE = [
    "<!channel>",
    "<!here|here>",
    "<@U012AB3CD>",
    "@all",
    "@here @channel",
    "@everyone",
    "a@b.example",
    "&lt;!channel&gt;",
    "<https://evil.example|your bank>",
    "[your bank](https://evil.example)",
    "https://evil.example/?q=1",
    "WWW.evil.example",
    "`; rm -rf /`",
    "```\ncode\n```",
    "one\ntwo\r\nBcc: all@team.example\r\n\r\nbody",
    "\u202egnp.exe",
    "\u2028line\u2029paragraph\x85next",
    "\x00\x1b[31mred\x07",
    "zero\u200bwidth\ufeff\u2060",
    "*bold* _italic_ ~gone~ # heading",
    "a" * 100_000,
    "\U0001f600" * 100_000,
    "\x07" * 100_000,
    "<!channel>" * 10_000,
    "",
    " ",
    "\ud800",
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text("<>!@`&|[]()*_~:/.\\\r\n\u202e\u2066\u200b\ud800 aw", max_size=60),
)
figures = st.floats(allow_nan=True, allow_infinity=True)
patterns = st.builds(
    ToldPattern,
    pattern_id=names,
    tool_sequence=names,
    confidence=figures,
    occurrences=st.integers(0, 2**63),
    savings_usd=figures,
    evidence_usd=st.none() | figures,
    doubts=st.lists(names, max_size=8),
    url=st.none() | names.map(lambda name: f"{PAGE}#{name}"),
)
pauses = st.builds(
    ToldPause,
    pause_id=st.integers(1, 2**63 - 1),
    rule=st.from_regex(RULE_NAME, fullmatch=True, alphabet=st.characters(codec="ascii")),
    version=st.integers(1, 2**63 - 1),
    verdict=st.sampled_from(RuleVerdict),
    because=names,
    paused_at=st.datetimes(timezones=st.just(UTC)),
    decided=st.integers(0, 10**6),
    taken_back=st.integers(0, 10**6),
)


def told(number: int = 1, **changes: object) -> ToldPattern:
    pattern = ToldPattern(
        f"sig-{number}",
        "Read→Edit→Write",
        0.874,
        3257,
        12_345.6,
        1100.0,
        ("counted 3,257 times each",),
        f"{PAGE}#{number}",
    )
    return replace(pattern, **changes)  # type: ignore[arg-type] # fields by name


def message(told_patterns: Sequence[ToldPattern], count: int | None = None, **changes: object) -> Message:
    counted = len(told_patterns) if count is None else count
    created_at = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
    made = Message("msg_1", MessageKind.HIGH_VALUE, created_at, told_patterns, counted, 1234567.8, 0, PAGE)
    return replace(made, **changes)  # type: ignore[arg-type] # fields by name


def paused(*told_pauses: ToldPause, count: int | None = None, **changes: object) -> Message:
    counted = len(told_pauses) if count is None else count
    return message([], counted, kind=MessageKind.RULE_PAUSED, savings_usd=0.0, pauses=told_pauses, **changes)


def pause(number: int = 1, **changes: object) -> ToldPause:
    made = ToldPause(
        40 + number,
        f"cheap-{number}",
        3,
        RuleVerdict.APPROVE,
        "people took back, or turned around, 2 of its decisions of the last 30 days",
        datetime(2026, 11, 27, 8, 29, 30, tzinfo=UTC),
        12,
        2,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # fields by name


def text_for(destination: Destination, said: Message) -> str:
    letter = render(destination, said)
    if destination is not CHAT:
        return letter.text
    body = json.loads(letter.text)
    assert list(body) == ["text"]
    text = body["text"]
    assert isinstance(text, str)
    return text


def test_a_chat_reads_what_matters_with_doubts_and_links() -> None:
    assert text_for(CHAT, message([told(1), told(2, doubts=(), evidence_usd=None, occurrences=1)], 100_000)) == (
        """\
Pattern Sync: 100,000 patterns of high value, worth about 1,234,568 USD a month
2026-11-27 08:30 UTC

1. `Read→Edit→Write` `sig-1`
   12,346 USD a month (by evidence 1,100), confidence 87 %, 3,257 occurrences
   Doubt: `counted 3,257 times each`
   <https://review.example/patterns/#1|look at it>

2. `Read→Edit→Write` `sig-2`
   12,346 USD a month (no evidence), confidence 87 %, 1 occurrence
   <https://review.example/patterns/#2|look at it>

and 99,998 more

To review: <https://review.example/patterns/|the page>"""
    )


def test_a_mail_reads_the_same_in_plain_text() -> None:
    letter = render(MAIL, message([told(1)], 3, kind=MessageKind.DIGEST, old_count=2, url=None))
    assert letter.media_type == "text/plain"
    assert letter.subject == ("Pattern Sync: 3 patterns wait, worth about 1,234,568 USD a month, 2 for over a week")
    assert letter.text.splitlines()[3:] == [
        "1. Read→Edit→Write sig-1",
        "   12,346 USD a month (by evidence 1,100), confidence 87 %, 3,257 occurrences",
        "   Doubt: counted 3,257 times each",
        "   https://review.example/patterns/#1",
        "",
        "and 2 more",
        "",
        "To review: pattern-sync review list",
    ]


def test_a_webhook_gets_names_as_they_are_and_figures_as_numbers() -> None:
    letter = render(WEBHOOK, message([told(1, tool_sequence="<b>&@all`\n")], 100_000))
    assert letter.media_type == "application/json"
    assert letter.text.isascii()
    assert json.loads(letter.text) == {
        "type": "pattern_sync.high_value",
        "timestamp": "2026-11-27T08:30:00Z",
        "data": {
            "count": 100_000,
            "savings_usd": 1234567.8,
            "old_count": 0,
            "url": PAGE,
            "more": 99_999,
            "patterns": [
                {
                    "pattern_id": "sig-1",
                    "tool_sequence": "<b>&@all`\n",
                    "confidence": 0.874,
                    "occurrences": 3257,
                    "savings_usd": 12_345.6,
                    "evidence_usd": 1100.0,
                    "doubts": ["counted 3,257 times each"],
                    "url": f"{PAGE}#1",
                }
            ],
        },
    }


def test_a_chat_reads_why_a_rule_is_paused_and_how_to_go_on() -> None:
    assert text_for(CHAT, paused(pause(1))) == (
        """\
Pattern Sync: rule cheap-1 is paused
2026-11-27 08:30 UTC

1. cheap-1, version 3 (approve), since 2026-11-27 08:29 UTC
   Why: `people took back, or turned around, 2 of its decisions of the last 30 days`
   Decided in the last 7 days: 12 patterns, 2 taken back
   `pattern-sync rules show cheap-1`
   `pattern-sync rules revert cheap-1`
   `pattern-sync rules on cheap-1`

Until it is on again, people decide: <https://review.example/patterns/|the page>"""
    )


@pytest.mark.parametrize("destination", [MAIL, OTHER])
def test_a_mail_and_apprise_read_the_same_of_rules_in_plain_text(destination: Destination) -> None:
    letter = render(destination, paused(pause(1, decided=0, taken_back=0), pause(2, decided=1), count=3, url=None))
    assert (letter.subject, letter.media_type) == ("Pattern Sync: 3 rules are paused", "text/plain")
    assert letter.text.splitlines()[3:] == [
        "1. cheap-1, version 3 (approve), since 2026-11-27 08:29 UTC",
        "   Why: people took back, or turned around, 2 of its decisions of the last 30 days",
        "   Decided in the last 7 days: nothing",
        "   pattern-sync rules show cheap-1",
        "   pattern-sync rules on cheap-1",
        "",
        "2. cheap-2, version 3 (approve), since 2026-11-27 08:29 UTC",
        "   Why: people took back, or turned around, 2 of its decisions of the last 30 days",
        "   Decided in the last 7 days: 1 pattern, 2 taken back",
        "   pattern-sync rules show cheap-2",
        "   pattern-sync rules on cheap-2",
        "",
        "and 1 more",
        "",
        "Until they are on again, people decide: pattern-sync review list",
    ]


def test_a_webhook_gets_paused_rules_as_an_event_of_their_own() -> None:
    assert json.loads(render(WEBHOOK, paused(pause(1))).text) == {
        "type": "pattern_sync.rule_paused",
        "timestamp": "2026-11-27T08:30:00Z",
        "data": {
            "count": 1,
            "url": PAGE,
            "more": 0,
            "rules": [
                {
                    "pause_id": 41,
                    "rule": "cheap-1",
                    "version": 3,
                    "verdict": "approve",
                    "paused_because": "people took back, or turned around, 2 of its decisions of the last 30 days",
                    "paused_at": "2026-11-27T08:29:30Z",
                    "decided": 12,
                    "taken_back": 2,
                    "commands": [
                        "pattern-sync rules show cheap-1",
                        "pattern-sync rules revert cheap-1",
                        "pattern-sync rules on cheap-1",
                    ],
                }
            ],
        },
    }


@pytest.mark.parametrize("destination", DESTINATIONS)
@settings(max_examples=50)
@given(told_pauses=st.lists(pauses, min_size=1, max_size=22), count=st.integers(0, 10**6))
def test_what_an_application_says_of_a_rule_has_no_power_over_a_letter(
    destination: Destination, told_pauses: list[ToldPause], count: int
) -> None:
    said = paused(*told_pauses, count=len(told_pauses) + count)
    letter = render(destination, said)
    assert len(letter.text.encode()) <= LARGEST_BODY
    assert "\n" not in letter.subject
    assert destination is MAIL or "<!" not in letter.text
    assert not set(letter.text) & set("\r\t\u202e\u2066\u200b\u2028\u0085\x00\x1b")
    text = text_for(destination, said)
    if destination is WEBHOOK:
        data = json.loads(text)["data"]
        assert 1 <= len(data["rules"]) == len(told_pauses) + count - data["more"]
    else:
        assert f"pattern-sync rules on {told_pauses[0].rule}" in text, "the first of them fits always"
        assert destination is MAIL or "@" not in text


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_test_message_says_so(destination: Destination) -> None:
    text = text_for(destination, message([], 0, kind=MessageKind.TEST))
    assert "pattern_sync.test" in text if destination is WEBHOOK else "a test message" in text
    assert "more" not in text.replace('"more":0', "")


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("count", [19, 20, 21, 100_000])
def test_at_most_twenty_are_named_and_the_rest_is_counted(destination: Destination, count: int) -> None:
    text = text_for(destination, message([told(number) for number in range(min(count, 30))], count))
    named = len(set(re.findall(r"sig-\d+", text)))
    assert 0 < named <= MOST_NAMED
    if destination is WEBHOOK:
        assert json.loads(text)["data"]["more"] == count - named
    else:
        assert (f"and {count - named:,} more" in text) is (count > named)


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_patterns_that_do_not_fit_are_counted(destination: Destination, hostile: str) -> None:
    every = [told(number, pattern_id=hostile, tool_sequence=hostile, doubts=[hostile] * 9) for number in range(20)]
    letter = render(destination, message(every))
    assert len(letter.text.encode()) <= LARGEST_BODY
    text = text_for(destination, message(every))
    # The first of them fits always, so that no message is empty.
    if destination is WEBHOOK:
        data = json.loads(text)["data"]
        assert 1 <= len(data["patterns"]) == 20 - data["more"]
    else:
        named = text.count(" USD a month (by")
        assert named >= (destination is not OTHER)
        assert named == 20 or f"{20 - named} {'more' if named else 'patterns too long'}" in text


@pytest.mark.parametrize("destination", DESTINATIONS)
@settings(max_examples=50)
@given(told_patterns=st.lists(patterns, max_size=22), count=st.integers(0, 10**6), savings=figures)
def test_no_name_has_power_over_a_letter(
    destination: Destination, told_patterns: list[ToldPattern], count: int, savings: float
) -> None:
    letter = render(destination, message(told_patterns, len(told_patterns) + count, savings_usd=savings))
    assert len(letter.text.encode()) <= LARGEST_BODY
    assert "\n" not in letter.subject
    assert destination is MAIL or "<!" not in letter.text  # a mail is read as it is
    assert not set(letter.text) & set("\r\t\u202e\u2066\u200b\u2028\u0085\x00\x1b")
    if letter.media_type == "application/json":
        json.loads(letter.text, parse_constant=pytest.fail)


@pytest.mark.parametrize("destination", [CHAT, OTHER])
@given(pattern=patterns)
def test_a_chat_takes_nothing_of_a_name_for_a_mention_or_a_link(destination: Destination, pattern: ToldPattern) -> None:
    text = text_for(destination, message([pattern]))
    ours = re.compile(rf"<{re.escape(PAGE)}[!-;=?-~]*\|(?:look at it|the page)>|{re.escape(PAGE)}[!-~]*")
    rest = ours.sub("", text)
    assert not set(rest) & set("<>@&[]")
    assert "://" not in rest
    assert "www." not in rest.lower()
    assert len(text.splitlines()) <= 14
    assert "@" not in text
    # Behind the figures and the headline, all that is not ours stands between backticks, two to a name.
    assert rest.count("`") == (2 * (2 + min(5, len(pattern.doubts))) if destination is CHAT else 0)


@pytest.mark.parametrize("destination", FOR_PEOPLE)
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", f"{PAGE}#{'a' * 100_000}", "file:///etc/passwd", "//evil.example"]
)
def test_a_link_that_is_none_or_too_long_is_left_out(destination: Destination, url: str) -> None:
    text = text_for(destination, message([told(1, url=url)], url=url))
    assert url[:20] not in text
    assert "To review: pattern-sync review list" in text


@pytest.mark.parametrize("destination", FOR_PEOPLE)
def test_what_cannot_be_seen_is_shown(destination: Destination) -> None:
    text = text_for(destination, message([told(1, tool_sequence="a\u202eb\nc", pattern_id="")]))
    assert "U+202E" in text
    assert "b↵c" in text
    assert "(no name)" in text
