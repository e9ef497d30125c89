"""Mail through a real server on this machine, with and without TLS, friendly, slow and hostile."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pattern_sync.delivery import Courier
from pattern_sync.domain.destinations import parse_destinations
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, Letter, MessageKind
from tests.support.asynchronous import run, settle
from tests.support.certificates import Authority, Certificate
from tests.support.mail_server import Mailbox, mail_server

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
CREATED_AT = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
LETTER = Letter("3 patterns wait", "text/plain", "Read→Edit→Write\n.\n.dot\nFrom here\n" + "long " * 500)
PASSWORD = "p/w&s3cr3t%"
ESCAPED = "p%2Fw%26s3cr3t%25"
DELIVERED, FAILED, REFUSED = DeliveryOutcome.DELIVERED, DeliveryOutcome.FAILED, DeliveryOutcome.REFUSED


def courier(deadline_seconds: float = 10.0, trusted: Path | None = None) -> Courier:
    def contexts() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=trusted)

    return Courier(None, lambda: NOW, "https://review.example/", deadline_seconds, contexts)


async def deliver(sender: Courier, url: str, letter: Letter = LETTER, key: str = "msg_1") -> Delivery:
    delivery = await sender.deliver(parse_destinations(url)[0], letter, key, MessageKind.DIGEST, CREATED_AT)
    for secret in (PASSWORD, ESCAPED, "bob", "ann"):
        assert secret not in (delivery.reason or "")
    return delivery


def mailed(
    answers: Mapping[str, str] | None = None,
    *,
    via: str = "smtp://127.0.0.1",
    to: str = "bob@team.example",
    letter: Letter = LETTER,
    sender: Courier | None = None,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    auth: bool = False,
) -> tuple[Delivery, Mailbox]:
    async def mailing() -> tuple[Delivery, Mailbox]:
        async with mail_server(answers, tls=tls, starttls=starttls, auth=auth) as got:
            url = f"mailto:{to}?via={via}:{got.port}&from=pattern-sync@team.example"
            delivery = await deliver(sender or courier(), url, letter)
            await settle(lambda: got.ended == got.connections)
            return delivery, got

    return run(mailing())


def context_of(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.file, certificate.key)
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def certificate(authority: Authority) -> Certificate:
    return authority.sign("mail", "DNS:localhost,IP:127.0.0.1")


def test_a_mail_arrives_as_it_was_written() -> None:
    delivery, got = mailed(to="bob@team.example,eve@team.example")
    assert delivery == Delivery(DELIVERED)
    (mail,) = got.mails
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == LETTER.text.rstrip("\n")
    assert {name: str(mail[name]) for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted")} == {
        "From": "pattern-sync@team.example",
        "To": "bob@team.example, eve@team.example",
        "Subject": "3 patterns wait",
        "Message-ID": "<msg_1@team.example>",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["Date"].datetime == NOW
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    recipients = [each.lower() for each in got.commands if each.lower().startswith("rcpt")]
    assert recipients == ["rcpt to:<bob@team.example>", "rcpt to:<eve@team.example>"]
    assert got.encrypted == [False]


def test_another_attempt_has_the_same_message_id() -> None:
    async def twice() -> Mailbox:
        async with mail_server({"TEXT": "451 Later"}) as got:
            for _ in range(2):
                await deliver(courier(), f"mailto:bob@team.example?via=smtp://127.0.0.1:{got.port}")
            return got

    first, second = run(twice()).mails
    assert first["Message-ID"] == second["Message-ID"] == "<msg_1@team.example>"


@pytest.mark.parametrize("key", ["a b", "a>\r\nBcc: eve@team.example", "", "ä", "x" * 1000])
def test_no_key_breaks_the_head_of_a_mail(key: str) -> None:
    async def mailing() -> Mailbox:
        async with mail_server() as got:
            await deliver(courier(), f"mailto:bob@team.example?via=smtp://127.0.0.1:{got.port}", key=key)
            return got

    (mail,) = run(mailing()).mails
    assert mail["Bcc"] is None
    assert len(mail["Message-ID"]) == len("<@team.example>") + 64


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\n ", "\u2028", "\x0b", "\x85"])
def test_no_subject_breaks_the_head_of_a_mail(break_: str) -> None:
    subject = f"one{break_}Bcc: eve@team.example{break_}{break_}two →"
    delivery, got = mailed(letter=Letter(subject, "text/plain", "body"))
    assert delivery.outcome is DELIVERED
    (mail,) = got.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "one Bcc: eve@team.example two →"
    assert mail.get_content().strip() == "body"
    assert not [each for each in got.commands if "eve" in each]


def test_a_password_is_sent_by_tls_only(authority: Authority, certificate: Certificate) -> None:
    delivery, got = mailed(
        via=f"smtps://ann:{ESCAPED}@localhost",
        tls=context_of(certificate),
        auth=True,
        sender=courier(trusted=authority.own.file),
    )
    assert delivery == Delivery(DELIVERED)
    assert got.logins() == [f"/ann/{PASSWORD}"]
    assert got.encrypted == [True]


def test_starttls_is_used_where_it_is_required(authority: Authority, certificate: Certificate) -> None:
    delivery, got = mailed(
        via=f"smtp+starttls://ann:{ESCAPED}@localhost",
        starttls=context_of(certificate),
        auth=True,
        sender=courier(trusted=authority.own.file),
    )
    assert delivery == Delivery(DELIVERED)
    assert got.logins() == [f"/ann/{PASSWORD}"]
    assert got.encrypted == [True]


def test_no_password_is_sent_where_required_starttls_is_not_offered() -> None:
    delivery, got = mailed(via=f"smtp+starttls://ann:{ESCAPED}@localhost", auth=True)
    assert delivery.outcome is FAILED
    assert "offers no STARTTLS" in (delivery.reason or "")
    assert not got.logins()
    assert not got.raw


def test_starttls_is_used_where_it_is_offered_whoever_signed_the_certificate(certificate: Certificate) -> None:
    delivery, got = mailed(starttls=context_of(certificate))
    assert delivery == Delivery(DELIVERED)
    assert got.encrypted == [True]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_of_nobody_known_is_a_failure(certificate: Certificate, scheme: str) -> None:
    context = context_of(certificate)
    by_scheme = {"tls": context} if scheme == "smtps" else {"starttls": context}
    delivery, got = mailed(via=f"{scheme}://ann:{ESCAPED}@localhost", auth=True, **by_scheme)  # type: ignore[arg-type]
    assert delivery.outcome is FAILED
    assert (delivery.reason or "").startswith("the certificate of localhost is not valid: ")
    assert not got.logins()


def test_a_certificate_of_another_host_is_a_failure(authority: Authority) -> None:
    delivery, got = mailed(
        via="smtp+starttls://localhost",
        starttls=context_of(authority.sign("other", "DNS:other.example")),
        sender=courier(trusted=authority.own.file),
    )
    assert delivery.outcome is FAILED
    assert "ostname mismatch" in (delivery.reason or "")
    assert not got.raw


@pytest.mark.parametrize(
    ("answers", "outcome", "status_code", "words"),
    [
        ({"RCPT": "550 bob is not here"}, REFUSED, 550, "answered 550 to the recipients"),
        ({"RCPT": "450 bob is busy"}, FAILED, 450, "answered 450 to the recipients"),
        ({"RCPT": "421 Bye, bob"}, FAILED, 421, "answered 421 to the recipients"),
        ({"MAIL": "553 Not you"}, REFUSED, 553, "answered 553 to the sender"),
        ({"MAIL": "451 Later"}, FAILED, 451, "answered 451 to the sender"),
        ({"DATA": "554 No"}, FAILED, 554, "answered 554 to the text"),
        ({"TEXT": "554 Spam"}, FAILED, 554, "answered 554 to the text"),
        ({"TEXT": "452 Full"}, FAILED, 452, "answered 452 to the text"),
        ({"GREETING": "554 Go away"}, FAILED, 554, "answered 554 to the greeting"),
        ({"GREETING": "421 Busy"}, FAILED, 421, "answered 421 to the greeting"),
        ({"GREETING": "SSH-2.0-OpenSSH"}, FAILED, None, "does not speak SMTP"),
        ({"GREETING": "x" * 100_000}, FAILED, 500, "127.0.0.1"),
        ({"GREETING": "(end)"}, FAILED, None, "broke off"),
        ({"GREETING": "(endless)"}, FAILED, None, "broke off"),
        ({"DATA": "(end)"}, FAILED, None, "broke off"),
        ({"TEXT": "(end)"}, FAILED, None, "broke off"),
        ({"QUIT": "(silence)"}, DELIVERED, None, None),
    ],
)
def test_the_answers_decide_the_outcome(
    answers: Mapping[str, str], outcome: DeliveryOutcome, status_code: int | None, words: str | None
) -> None:
    delivery, _ = mailed(answers)
    assert (delivery.outcome, delivery.status_code) == (outcome, status_code)
    assert (words or "") in (delivery.reason or "")
    assert (words is None) is (delivery.reason is None)


@pytest.mark.parametrize(("answer", "outcome"), [("535 Wrong", REFUSED), ("454 Later", FAILED)])
def test_a_login_that_is_not_accepted(
    authority: Authority, certificate: Certificate, answer: str, outcome: DeliveryOutcome
) -> None:
    delivery, got = mailed(
        {"AUTH": answer},
        via=f"smtps://ann:{ESCAPED}@localhost",
        tls=context_of(certificate),
        auth=True,
        sender=courier(trusted=authority.own.file),
    )
    assert delivery == Delivery(outcome, int(answer[:3]), f"localhost answered {answer[:3]} to the login")
    assert not got.raw


def test_some_recipients_who_are_refused_do_not_make_the_others_get_it_twice() -> None:
    delivery, got = mailed({"RCPT <eve@team.example>": "550 No"}, to="bob@team.example,eve@team.example")
    assert delivery == Delivery(DELIVERED, None, "127.0.0.1 refused 1 of 2 recipients")
    assert len(got.raw) == 1


@pytest.mark.parametrize("answer", ["(silence)", "(drip)"])
@pytest.mark.parametrize("command", ["GREETING", "MAIL", "TEXT"])
def test_one_deadline_covers_an_attempt_and_its_thread_ends(command: str, answer: str) -> None:
    begun = time.monotonic()
    delivery, got = mailed({command: answer}, sender=courier(0.5))
    assert delivery == Delivery(FAILED, None, "127.0.0.1 did not answer within 0.5 s")
    # The server has seen the end, and the loop has not waited for the thread: it had nothing to wait for any more.
    assert got.ended == 1
    assert 0.4 < time.monotonic() - begun < 5


def test_a_tls_server_that_never_shakes_hands_is_left_at_the_deadline() -> None:
    begun = time.monotonic()
    delivery, _ = mailed({"GREETING": "(silence)"}, via="smtps://127.0.0.1", sender=courier(0.5))
    assert delivery.outcome is FAILED
    assert time.monotonic() - begun < 5


def test_a_cancelled_attempt_closes_its_connection() -> None:
    async def cancelled() -> None:
        async with mail_server({"TEXT": "(silence)"}) as got:
            task = asyncio.create_task(deliver(courier(), f"mailto:bob@team.example?via=smtp://127.0.0.1:{got.port}"))
            await settle(lambda: got.raw)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await settle(lambda: got.ended)

    run(cancelled())


def test_a_mail_server_at_a_refused_address_is_not_connected_to() -> None:
    async def refused() -> Delivery:
        async def lookup(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            return [(2, 1, 6, "", ("169.254.169.254", port))]

        asyncio.get_running_loop().getaddrinfo = lookup  # type: ignore[method-assign, assignment] # in this loop only
        return await deliver(courier(), "mailto:bob@team.example?via=smtp://mail.example")

    reason = "mail.example is 169.254.169.254, which is link-local: always refused"
    assert run(refused()) == Delivery(FAILED, None, reason)


def test_no_name_is_looked_up_by_the_mail_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> str:
        raise AssertionError("a name was looked up")

    for name in ("getfqdn", "gethostbyname", "create_connection"):
        monkeypatch.setattr(f"socket.{name}", forbidden)
    assert mailed()[0].outcome is DELIVERED
