"""A letter as a mail."""

import hashlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from pattern_sync.domain.mail_route import MailRoute
from pattern_sync.domain.messages import Letter

_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


def mail_of(letter: Letter, route: MailRoute, key: str, now: datetime) -> EmailMessage:
    """Return the mail; with the same key it has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = route.sender
    mail["To"] = ", ".join(route.recipients)
    mail["Subject"] = " ".join(letter.subject.split())
    mail["Date"] = now.astimezone(UTC)
    mail["Message-ID"] = f"<{_local_part(key)}@{route.sender.partition('@')[2]}>"
    # So that nobody's absence is announced to it.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text, charset="utf-8")
    return mail


def _local_part(key: str) -> str:
    return key if _KEY.fullmatch(key) else hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
