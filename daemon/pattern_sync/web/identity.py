"""Who a request comes from, where a proxy signs people in and names them in a header."""

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from pattern_sync.domain.decision import check_reviewer
from pattern_sync.domain.errors import InvalidInput


class Identity:
    """Reads the header that the operator trusts; `header` is None where reviewers name themselves.

    Whoever reaches the daemon past the proxy can set the header, too. The settings therefore require an API token,
    unless only this machine can reach it.
    """

    def __init__(self, header: str | None) -> None:
        self._header = header

    @property
    def is_trusted(self) -> bool:
        """Return whether the proxy's header names the reviewers, and nothing else does."""
        return self._header is not None

    def of(self, connection: HTTPConnection) -> str | None:
        """Return the name in the header; None where reviewers name themselves.

        Raises HTTPException: 403 if the header does not name exactly one person, as then nobody can decide.
        """
        if self._header is None:
            return None
        values = connection.headers.getlist(self._header)
        if len(values) > 1:
            raise self._refusal(f"came {len(values)} times; the proxy has to replace what a client sends")
        try:
            name = "".join(values).encode("latin-1").decode()  # headers are decoded as Latin-1
        except UnicodeDecodeError:
            raise self._refusal(f"is {values[0]!r}, which is not UTF-8") from None
        if not name.strip():
            raise self._refusal("is missing; come through the proxy, and sign in there")
        if "," in name:
            raise self._refusal(f"is {name!r}; a comma is how proxies join two names, so only one name may be sent")
        try:
            return check_reviewer(name)
        except InvalidInput as fault:
            raise self._refusal(f"cannot be used: {str(fault).removesuffix('.')}") from None

    def _refusal(self, fault: str) -> HTTPException:
        return HTTPException(403, f"Only the proxy can say who you are, and its header {self._header} {fault}.")
