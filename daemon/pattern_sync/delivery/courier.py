"""Brings letters to their destinations, and says what became of each."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime

from pattern_sync.delivery.answers import delivery_of
from pattern_sync.delivery.faults import Undelivered
from pattern_sync.delivery.mail_writing import mail_of
from pattern_sync.delivery.mailing import send_mail
from pattern_sync.delivery.other import notify_by_apprise
from pattern_sync.delivery.posting import post
from pattern_sync.domain.destinations import Destination, DestinationKind, http_endpoint
from pattern_sync.domain.mail_route import MailRoute
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, Letter, MessageKind
from pattern_sync.domain.signing import SigningSecrets, event_headers, webhook_headers

DEADLINE_SECONDS = 15.0
_USER_AGENT = "pattern-sync"


class Courier:
    """Makes one attempt at a time for a letter; whether and when there is another one is for others to decide.

    `source` names this installation in CloudEvents' headers. `trusted` makes the TLS context of an attempt: anew each
    time, so that a certificate authority that the system learns of needs no restart.
    """

    def __init__(
        self,
        secrets: SigningSecrets | None,
        now: Callable[[], datetime],
        source: str,
        deadline_seconds: float = DEADLINE_SECONDS,
        trusted: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._secrets = secrets
        self._now = now
        self._source = source
        self._deadline_seconds = deadline_seconds
        self._trusted = trusted

    async def deliver(
        self, destination: Destination, letter: Letter, key: str, kind: MessageKind, created_at: datetime
    ) -> Delivery:
        """Deliver a letter within the deadline; whatever the far end does is told by the result."""
        deadline = asyncio.get_running_loop().time() + self._deadline_seconds
        try:
            match destination.kind:
                case DestinationKind.WEBHOOK:
                    return await self._post(destination, letter, self._headers(letter, key, kind, created_at), deadline)
                case DestinationKind.CHAT:
                    return await self._post(destination, letter, {}, deadline)
                case DestinationKind.MAIL:
                    route = MailRoute.parse(destination.url)
                    return await send_mail(route, mail_of(letter, route, key, self._now()), self._trusted, deadline)
                case DestinationKind.OTHER:
                    return await notify_by_apprise(destination, letter, deadline)
        except Undelivered as fault:
            return fault.delivery
        except TimeoutError:
            reason = f"{destination.host} did not answer within {self._deadline_seconds:g} s"
            return Delivery(DeliveryOutcome.FAILED, reason=reason)

    def _headers(self, letter: Letter, key: str, kind: MessageKind, created_at: datetime) -> dict[str, str]:
        signed = webhook_headers(self._secrets, key, self._now(), letter.text)
        return {**signed, **event_headers(key, self._source, kind, created_at)}

    async def _post(
        self, destination: Destination, letter: Letter, headers: dict[str, str], deadline: float
    ) -> Delivery:
        endpoint = http_endpoint(destination)
        context = await asyncio.to_thread(self._trusted) if endpoint.is_tls else None
        common = {"User-Agent": _USER_AGENT, "Content-Type": letter.media_type}
        answer = await post(endpoint, {**common, **headers}, letter.text.encode(), context, deadline)
        return delivery_of(endpoint.host, answer.status_code, answer.retry_after, self._now())
