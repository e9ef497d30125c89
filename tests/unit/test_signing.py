"""Signatures, verified by another implementation than ours."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pattern_sync.domain.signing import SigningSecrets, event_headers, webhook_headers


def secret(byte: bytes, count: int = 32) -> str:
    return f"whsec_{base64.b64encode(byte * count).decode()}"


NEW, OLD, OTHER = secret(b"n"), secret(b"o"), secret(b"x")


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.binary(min_size=24, max_size=64))
def test_a_receiver_verifies_what_we_sign(said: str, key: bytes) -> None:
    body = json.dumps({"data": said})
    encoded = f"whsec_{base64.b64encode(key).decode()}"
    headers = webhook_headers(SigningSecrets.parse(encoded), "msg_1", datetime.now(UTC), body)
    assert Webhook(encoded).verify(body, dict(headers)) == {"data": said}
    with pytest.raises(WebhookVerificationError):
        Webhook(encoded).verify(body + " ", dict(headers))


def test_while_the_secret_is_replaced_either_verifies_and_no_other() -> None:
    headers = dict(webhook_headers(SigningSecrets.parse(f"{NEW} {OLD}"), "msg_1", datetime.now(UTC), "{}"))
    assert headers["webhook-signature"].count("v1,") == 2
    for each in (NEW, OLD):
        Webhook(each).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify("{}", headers)


def test_the_example_of_the_specification() -> None:
    secrets = SigningSecrets.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    signature = secrets.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_there_is_no_signature() -> None:
    headers = webhook_headers(None, "msg_1", datetime.fromtimestamp(1.9, UTC), "{}")
    assert headers == {"webhook-id": "msg_1", "webhook-timestamp": "1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there are 0 secrets"),
        (f"{NEW} {OLD} {OTHER}", "there are 3 secrets"),
        ("hunter2hunter2hunter2hunter2hunter2", "the first secret does not begin with whsec_"),
        (f"{NEW} {OLD[6:]}", "the second secret does not begin with whsec_"),
        (f"{NEW} whsec_hunter2!", "the second secret is not base64"),
        ("whsec_hunter2ä", "the first secret is not base64"),
        ("whsec_hunter2hu", "the first secret is not base64|the first secret has"),
        (secret(b"h", 23), "the first secret has 23 bytes; use at least 24"),
        (f"{NEW} whsec_", "the second secret has 0 bytes"),
    ],
)
def test_an_unfit_secret_is_refused_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        SigningSecrets.parse(text)
    assert "openssl rand" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert not any(word[6:] in str(caught.value) for word in text.split() if len(word) > 6)


def test_a_secret_may_lack_its_padding_and_is_in_no_representation() -> None:
    padded, bare = secret(b"n", 25), secret(b"n", 25).rstrip("=")
    assert padded != bare
    assert SigningSecrets.parse(padded) == SigningSecrets.parse(bare)
    assert "nnn" not in repr(SigningSecrets.parse(padded))


def test_the_headers_of_an_event_are_ascii_and_in_utc() -> None:
    berlin = datetime(2026, 11, 27, 9, 30, 1, 500_000, tzinfo=timezone(timedelta(hours=1)))
    headers = event_headers("msg_1", "https://review.example/päths?a=b c", "high_value", berlin)
    assert headers == {
        "ce-specversion": "1.0",
        "ce-id": "msg_1",
        "ce-source": "https://review.example/p%C3%A4ths?a=b%20c",
        "ce-type": "pattern_sync.high_value",
        "ce-time": "2026-11-27T08:30:01.500000Z",
    }
    assert re.fullmatch(r"[!-~]+", "".join(headers.values()))
