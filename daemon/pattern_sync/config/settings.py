"""What an operator can set, from environment variables, a .env file and systemd credentials."""

import ipaddress
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pattern_sync.config.complaints import explain
from pattern_sync.config.names import PREFIX, option
from pattern_sync.config.secrets import read_secret, read_token, read_url
from pattern_sync.config.sources import ENV_FILE_ENCODING, Sources
from pattern_sync.config.telling import TellingSettings, read_telling
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.filter import (
    BOUNDS,
    HIGH_PRIORITY_MIN_CONFIDENCE,
    HIGH_PRIORITY_MIN_OCCURRENCES,
    HIGH_PRIORITY_MIN_SAVINGS,
    SyncFilter,
)
from pattern_sync.domain.public_url import PublicUrl
from pattern_sync.domain.standing import LearnMode

# The origins of the application's review panel: its front end (9213) and the front end's development server (5173).
PANEL_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (9213, 5173))
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_HOST = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")
_HEADER = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
# Clients set these themselves (pages of other origins, too, may send X-Reviewer), or proxies say in them where a
# request comes from and how it is sent.
_OTHER_HEADERS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "proxy-authorization",
        "range",
        "referer",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-user",
        "sec-websocket-key",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-forwarded-server",
        "x-real-ip",
        "x-request-id",
        "x-requested-with",
        "x-reviewer",
    }
)


class AccessTokens(NamedTuple):
    """The tokens of those who read the queue and decide, of administrators, and of those who read the metrics."""

    api: str | None
    admin: str | None
    metrics: str | None


class Settings(BaseSettings):
    """What an operator can set; `make docs` generates the reference from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="The database, as a `postgresql://` URL or a key=value string, with one or more hosts."
        " Unset: the embedded server; as a service, only if `PATTERN_SYNC_DATA_DIR` is set.",
    )
    database_url_file: Path | None = Field(default=None, description="File that holds the URL or the string.")
    data_dir: Path | None = Field(
        default=None,
        description="Folder of the embedded server. Unset: `/var/lib/pattern-sync-embedded` as root,"
        " `~/.local/state/pattern-sync` otherwise.",
    )
    interval: float = Field(
        default=3600.0, ge=1, le=604_800, allow_inf_nan=False, description="Seconds between sweeps."
    )
    mend: bool = Field(
        default=False,
        description="Repair triggers that are missing or disabled. The daemon's role must own the tables."
        " `off`: report them only.",
    )
    min_confidence: float = Field(
        default=HIGH_PRIORITY_MIN_CONFIDENCE, description="Lowest confidence that qualifies, in percent."
    )
    min_occurrences: int = Field(
        default=HIGH_PRIORITY_MIN_OCCURRENCES, description="Lowest number of occurrences that qualifies."
    )
    min_savings: float = Field(
        default=HIGH_PRIORITY_MIN_SAVINGS, description="Lowest savings that qualify, in USD a month."
    )
    only_types: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Pattern types to queue, comma-separated. Unset: all."
    )
    exclude_types: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Pattern types never to queue, comma-separated."
    )
    max_age_days: float | None = Field(
        default=None,
        description="Days since the pattern was last seen, at most. The detector's `last_seen` counts, else the last"
        " recorded occurrence; if neither is known, the pattern does not qualify. Unset: any.",
    )
    min_workflows: int | None = Field(
        default=None,
        description="Lowest number of distinct workflows in `pattern_occurrences`. If none are recorded, the pattern"
        " does not qualify. Unset: any.",
    )
    drain_seconds: float = Field(
        default=10.0,
        ge=0,
        le=300,
        allow_inf_nan=False,
        description="Seconds that a stop may take to reconcile the patterns that still wait.",
    )
    http_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that the API and the review page listen on. Except on loopback, an API token is required.",
    )
    http_port: int = Field(
        default=8002,
        ge=0,
        le=65_535,
        description="Port of the API and the review page. `0`: any free port; the log names it.",
    )
    api_token: SecretStr | None = Field(default=None, description="Token for reading the queue and deciding.")
    api_token_file: Path | None = Field(default=None, description="File that holds the API token.")
    admin_token: SecretStr | None = Field(
        default=None,
        description="Administrators' token: for `POST /api/v1/patterns/sync/all`, and for what changes rules or"
        " messages to people. Unset: nobody can do that.",
    )
    admin_token_file: Path | None = Field(default=None, description="File that holds the administrators' token.")
    metrics_token: SecretStr | None = Field(
        default=None,
        description="Token for reading `/metrics` and nothing else. Unset: open when serving on loopback; otherwise the"
        " API token.",
    )
    metrics_token_file: Path | None = Field(default=None, description="File that holds the token for `/metrics`.")
    cors_origins: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        default=None,
        description="Other origins whose pages may call the API, comma-separated, or `none`. Unset: ports 9213 and 5173"
        " of `localhost` and `127.0.0.1` when serving on loopback, no origin otherwise.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names by which clients reach the daemon, comma-separated, such as a proxy's. IP addresses"
        " and this machine's own names are always accepted.",
    )
    public_url: str | None = Field(
        default=None,
        description="The address by which people reach the daemon through a proxy, such as"
        " `https://review.example/patterns/`. Its host, origin and path are then accepted as the daemon's own.",
    )
    identity_header: str | None = Field(
        default=None,
        description="Header in which a proxy that signs people in names the reviewer, such as `X-Forwarded-User`. No"
        " other name is then recorded. Only the proxy may be able to reach the daemon.",
    )
    notify_urls: SecretStr | None = Field(
        default=None,
        description="Where messages about patterns worth much, and paused rules, are sent, separated by spaces:"
        " `https://` URLs (signed webhooks), Slack's and `slack+https://` ones (chats),"
        " `mailto:ann@example.com?via=smtps://user:password@mail.example`, and others that Apprise knows."
        " Unset: nowhere.",
    )
    notify_urls_file: Path | None = Field(default=None, description="File that holds these URLs.")
    notify_secret: SecretStr | None = Field(
        default=None,
        description="Secret by which webhooks are signed, `whsec_` and base64; two, while it is replaced.",
    )
    notify_secret_file: Path | None = Field(default=None, description="File that holds the secret.")
    notify_min_savings: float = Field(
        default=10_000.0,
        ge=0,
        le=1e15,
        allow_inf_nan=False,
        description="Lowest savings that are worth a message, in USD a month; by evidence, where there is any.",
    )
    notify_every: float = Field(
        default=3600.0,
        ge=1,
        le=604_800,
        allow_inf_nan=False,
        description="Seconds between two messages about patterns to the same destination, at least.",
    )
    notify_quiet: str | None = Field(
        default=None, description="Hours in which nothing is sent, such as `22:00-07:00 Europe/Berlin`."
    )
    notify_digest: str | None = Field(
        default=None,
        description="When a summary of what waits is sent, such as `mon-fri 09:00`, in the zone of the quiet hours, or"
        " of this machine; another one may follow.",
    )
    detect_vocabulary: Path | None = Field(
        default=None,
        description="A TOML file with names of your own tools, programs, folders and files for the reference detector,"
        " beside those that it knows.",
    )
    detect_prices: Path | None = Field(
        default=None,
        description="A TOML file with what tokens cost, by the beginning of a model's name: with it, `pattern-sync"
        " detect` tells savings.",
    )
    adjust_confidence: bool = Field(
        default=False,
        description="Whether each sweep sets the confidence of pending entries from the results of their executions.",
    )
    rules: bool = Field(
        default=True,
        description="Whether rules may mark and decide; each is off until a person has switched it on. `off`: none may,"
        " and none can be switched on. Give all daemons the same.",
    )
    learn: LearnMode = Field(
        default=LearnMode.RECORD,
        description="What is learned from people's decisions. `record`: how likely entries are approved, and how often"
        " that was right, without showing it. `on`: show it, too, once it is better than the base rate. `off`: nothing."
        " Give all daemons the same.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level to log. `debug` also logs every refresh."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="`auto`: console on a terminal, JSON otherwise."
    )

    _sources: Sources = PrivateAttr(default_factory=Sources)

    @field_validator("only_types", "exclude_types", "cors_origins", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("min_confidence", "min_occurrences", "min_savings", "max_age_days", "min_workflows")
    @classmethod
    def _check_bounds(cls, value: float | None, info: ValidationInfo) -> float | None:
        if info.field_name:
            BOUNDS[info.field_name].check(info.field_name, value)
        return value

    @model_validator(mode="after")
    def _check_filter(self) -> Self:
        self.sync_filter()
        return self

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if origins == ("none",):
            return ()
        for origin in origins or ():
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin; write it like https://panel.example:8443")
        return origins

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is not a host name; write it like review.example, without a port")
        return hosts

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str | None) -> str | None:
        return None if url is None else str(PublicUrl.parse(url))

    @field_validator("identity_header")
    @classmethod
    def _check_identity_header(cls, header: str | None) -> str | None:
        if header is not None and not _HEADER.fullmatch(header):
            raise ValueError(f"{header!r} is not a header's name; use letters, digits and '-', as in X-Forwarded-User")
        if header is not None and header.lower() in _OTHER_HEADERS:
            raise ValueError(f"{header!r} has another meaning; have the proxy name the reviewer in X-Forwarded-User")
        return header

    @field_validator("log_level", "log_format", "learn", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def load(cls, *, database_url: str | None = None, data_dir: Path | None = None) -> Self:
        """Read the settings from all sources; arguments that are not None win. Raises InvalidSettings.

        `PATTERN_SYNC_ENV_FILE` names the .env file; the default is `.env` in the working directory. Environment
        variables override it. Credentials (`pattern_sync_database_url`) override neither.
        """
        arguments: dict[str, Any] = {"database_url": database_url, "data_dir": data_dir}
        given = {name: value for name, value in arguments.items() if value is not None}
        sources = replace(Sources.find(cls.model_fields), options=tuple(map(option, given)))
        if database_url is not None:
            given["database_url_file"] = None
        try:
            read = {**sources.unnamed(), **given}
            settings = cls(_env_file=sources.env_file, _env_file_encoding=ENV_FILE_ENCODING, **read)
        except ValidationError as fault:
            raise InvalidSettings(" ".join(explain(error) for error in fault.errors())) from None
        settings._sources = sources
        return settings

    @property
    def sources(self) -> Sources:
        """Return where the settings were looked for, and the names that were found there."""
        return self._sources

    @property
    def on_loopback(self) -> bool:
        """Return whether only this machine can reach the HTTP API."""
        try:
            return ipaddress.ip_address(self.http_host).is_loopback
        except ValueError:
            return self.http_host == "localhost"

    def url(self) -> str | None:
        """Return the database's URL; None is the embedded server. Raises InvalidSettings.

        Under a service manager, or with a folder of credentials, that server has to be asked for by name: a misspelt
        credential would otherwise be an empty database that looks well.
        """
        url = read_url(self.database_url, self.database_url_file)
        if url is None:
            self._sources.credentials.refuse_lookalike("database_url")
            if self.data_dir is None:
                self._sources.refuse_accident()
        return url

    def tokens(self) -> AccessTokens:
        """Return all tokens, from variables or files. Raises InvalidSettings."""
        tokens = AccessTokens(
            read_token("API_TOKEN", self.api_token, self.api_token_file),
            read_token("ADMIN_TOKEN", self.admin_token, self.admin_token_file),
            read_token("METRICS_TOKEN", self.metrics_token, self.metrics_token_file),
        )
        for kind, token in tokens._asdict().items():
            if token is None:
                self._sources.credentials.refuse_lookalike(f"{kind}_token")
        if tokens.api is None and not self.on_loopback:
            raise InvalidSettings(
                f"{PREFIX}HTTP_HOST is {self.http_host!r}, which others can reach, but there is no API token. Set"
                f" {PREFIX}API_TOKEN (for example to the output of: openssl rand -hex 32), or listen on 127.0.0.1."
            )
        return tokens

    def telling(self) -> TellingSettings | None:
        """Return whom messages are sent to; None is nobody. Raises InvalidSettings."""
        for name, text in self.notify_texts().items():
            if text is None:
                self._sources.credentials.refuse_lookalike(name)
        return read_telling(
            **self.notify_texts(),
            min_savings=self.notify_min_savings,
            every_seconds=self.notify_every,
            quiet=self.notify_quiet,
            digest=self.notify_digest,
        )

    def notify_texts(self) -> dict[str, str | None]:
        """Return the secrets of the messages to people, as they were written. Raises InvalidSettings."""
        return {
            "notify_urls": read_secret("NOTIFY_URLS", self.notify_urls, self.notify_urls_file),
            "notify_secret": read_secret("NOTIFY_SECRET", self.notify_secret, self.notify_secret_file),
        }

    def origins(self) -> tuple[str, ...]:
        """Return the other origins whose pages may call the API."""
        if self.cors_origins is not None:
            return self.cors_origins
        return PANEL_ORIGINS if self.on_loopback else ()

    def public(self) -> PublicUrl | None:
        """Return the address that a proxy gives the daemon."""
        return None if self.public_url is None else PublicUrl.parse(self.public_url)

    def sync_filter(self) -> SyncFilter:
        """Return the filter that the daemon publishes. Raises InvalidSettings for a contradiction."""
        return SyncFilter(
            min_confidence=self.min_confidence,
            min_occurrences=self.min_occurrences,
            min_savings=self.min_savings,
            max_patterns=None,
            only_types=self.only_types,
            exclude_types=self.exclude_types,
            max_age_days=self.max_age_days,
            min_workflows=self.min_workflows,
        )
