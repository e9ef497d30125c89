"""A database URL taken apart: its hosts one by one, and a form without secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pattern_sync.domain.errors import InvalidSettings

_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the database is; `url` holds its secrets, `str()` and `repr()` do not."""

    url: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...]
    user: str
    database: str

    @classmethod
    def parse(cls, url: str) -> "DatabaseAddress":
        """Read a postgresql:// URL the way libpq does. Raises InvalidSettings, without the password."""
        if url.partition("://")[0] not in _SCHEMES:
            raise InvalidSettings(
                "PATTERN_SYNC_DATABASE_URL is not a PostgreSQL URL; it has to be like"
                " postgresql://user:password@host:5432/database."
            )
        try:
            urlsplit(url)  # as asyncpg does, which is pickier than libpq
            parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
            hosts = _hosts(parts)
        except (psycopg.Error, ValueError):
            raise InvalidSettings(
                "PATTERN_SYNC_DATABASE_URL cannot be read; it has to be like"
                " postgresql://user:password@host:5432/database, with special characters in the password"
                " percent-encoded (@ is %40, / is %2F)."
            ) from None  # libpq's own words can quote the whole URL
        user = parts.get("user", "")
        return cls(url, hosts, user, parts.get("dbname", user))

    def __str__(self) -> str:
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        user = f"{quote(self.user)}@" if self.user else ""
        return f"postgresql://{user}{hosts}/{self.database}"


def _hosts(parts: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    names = (parts.get("host") or parts.get("hostaddr") or "localhost").split(",")
    ports = (parts.get("port") or "5432").split(",")
    if len(ports) == 1:
        ports = ports * len(names)
    return tuple((name or "localhost", int(port or "5432")) for name, port in zip_longest(names, ports, fillvalue=""))
