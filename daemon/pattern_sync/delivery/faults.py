"""Why a letter did not arrive, from wherever that is noticed."""

import os
import socket
import ssl

from pattern_sync.domain.messages import Delivery, DeliveryOutcome


class Undelivered(Exception):
    """A letter did not arrive; the text holds no secret, and may be shown."""

    def __init__(
        self,
        reason: str,
        outcome: DeliveryOutcome = DeliveryOutcome.FAILED,
        status_code: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.delivery = Delivery(outcome, status_code, reason, retry_after_seconds)


def tls_complaint(host: str, port: int, fault: OSError) -> str:
    """Return why no encrypted connection came about."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not valid: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"{host} does not speak TLS on port {port}, or none that this machine accepts"
    return f"{host} broke the connection on port {port}: {words_of(fault)}"


def words_of(fault: OSError) -> str:
    """Return what the system says of a fault; asyncio's own words for it would name the address once more."""
    if isinstance(fault, socket.gaierror) or not fault.errno:
        return fault.strerror or "no reason given"
    return os.strerror(fault.errno)
