"""Settings from environment variables, a .env file and systemd credentials."""

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pattern_sync.domain.errors import InvalidFilter, InvalidSettings
from pattern_sync.domain.filter import (
    BOUNDS,
    HIGH_PRIORITY_MIN_CONFIDENCE,
    HIGH_PRIORITY_MIN_OCCURRENCES,
    HIGH_PRIORITY_MIN_SAVINGS,
    SyncFilter,
)

PREFIX = "PATTERN_SYNC_"
ENV_FILE_VARIABLE = "PATTERN_SYNC_ENV_FILE"
# The origins of the application's review panel: its front end (9213) and the front end's development server (5173).
PANEL_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (9213, 5173))
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_HOST = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")
_TOKEN = re.compile(r"[!-~]+")  # all that an Authorization header can carry


class Settings(BaseSettings):
    """What an operator can set; `make docs` generates the reference from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="The database, as a `postgresql://` URL or a key=value string, with one or more hosts."
        " Unset: the embedded server.",
    )
    data_dir: Path | None = Field(
        default=None,
        description="Folder of the embedded server. Unset: `/var/lib/pattern-sync` as root,"
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
        default=None, description="Token for `POST /api/v1/patterns/sync/all`. Unset: nobody can call it."
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
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level to log. `debug` also logs every refresh."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="`auto`: console on a terminal, JSON otherwise."
    )

    @field_validator("only_types", "exclude_types", "cors_origins", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("min_confidence", "min_occurrences", "min_savings")
    @classmethod
    def _check_bounds(cls, value: float, info: ValidationInfo) -> float:
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

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def load(cls, *, database_url: str | None = None, data_dir: Path | None = None) -> Self:
        """Read the settings from all sources; arguments that are not None win. Raises InvalidSettings.

        `PATTERN_SYNC_ENV_FILE` names the .env file; the default is `.env` in the working directory. Environment
        variables override it. Systemd credentials (`pattern_sync_database_url`) override neither.
        """
        named = os.environ.get(ENV_FILE_VARIABLE)
        env_file = named or ".env"
        if named and not Path(env_file).is_file():
            raise InvalidSettings(f"{ENV_FILE_VARIABLE} is {env_file!r}, but there is no such file; name another one.")
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        arguments: dict[str, Any] = {"database_url": database_url, "data_dir": data_dir}
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            _refuse_misspelt(env_file, set(cls.model_fields))
            return cls(_env_file=env_file, _secrets_dir=credentials, **given)
        except ValidationError as fault:
            raise InvalidSettings(" ".join(_explain(error) for error in fault.errors())) from None
        except OSError as fault:
            raise InvalidSettings(f"{fault.filename}: {fault.strerror}.") from None
        except UnicodeDecodeError:
            raise InvalidSettings(f"{env_file} is not valid UTF-8; save it as UTF-8 text.") from None

    @property
    def on_loopback(self) -> bool:
        """Return whether only this machine can reach the HTTP API."""
        try:
            return ipaddress.ip_address(self.http_host).is_loopback
        except ValueError:
            return self.http_host == "localhost"

    def tokens(self) -> tuple[str | None, str | None]:
        """Return the API token and the administrators' token, from variables or files. Raises InvalidSettings."""
        api = _read_token("API_TOKEN", self.api_token, self.api_token_file)
        admin = _read_token("ADMIN_TOKEN", self.admin_token, self.admin_token_file)
        if api is None and not self.on_loopback:
            raise InvalidSettings(
                f"{PREFIX}HTTP_HOST is {self.http_host!r}, which others can reach, but there is no API token. Set"
                f" {PREFIX}API_TOKEN (for example to the output of: openssl rand -hex 32), or listen on 127.0.0.1."
            )
        return api, admin

    def scrape_token(self) -> str | None:
        """Return the token for reading the metrics. Raises InvalidSettings."""
        return _read_token("METRICS_TOKEN", self.metrics_token, self.metrics_token_file)

    def origins(self) -> tuple[str, ...]:
        """Return the other origins whose pages may call the API."""
        if self.cors_origins is not None:
            return self.cors_origins
        return PANEL_ORIGINS if self.on_loopback else ()

    def sync_filter(self) -> SyncFilter:
        """Return the filter that the daemon publishes. Raises InvalidSettings for a contradiction."""
        return SyncFilter(
            min_confidence=self.min_confidence,
            min_occurrences=self.min_occurrences,
            min_savings=self.min_savings,
            max_patterns=None,
            only_types=self.only_types,
            exclude_types=self.exclude_types,
        )


def _read_token(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    variable = f"{PREFIX}{name}"
    if value is not None and file is not None:
        raise InvalidSettings(f"{variable} and {variable}_FILE are both set; unset one of them.")
    if value is None and file is None:
        return None
    source = variable if file is None else f"{variable}_FILE, {str(file)!r},"
    try:
        token = value.get_secret_value() if value is not None else (file or Path()).read_text(encoding="utf-8")
    except OSError as fault:
        raise InvalidSettings(f"{source} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{source} is not valid UTF-8; save it as UTF-8 text.") from None
    if not _TOKEN.fullmatch(token.strip()):
        raise InvalidSettings(f"{source} holds no token; use one word of printable ASCII characters, without spaces.")
    return token.strip()


def _refuse_misspelt(env_file: str, fields: set[str]) -> None:
    known = {field.upper() for field in fields} | {ENV_FILE_VARIABLE.removeprefix(PREFIX)}
    in_file = dotenv_values(env_file) if Path(env_file).is_file() else {}
    for name in sorted({*os.environ, *in_file}):
        given = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and given not in known:
            nearest = difflib.get_close_matches(given, known, n=1)
            settings = ", ".join(PREFIX + item for item in sorted(known))
            hint = f" Did you mean {PREFIX}{nearest[0]}?" if nearest else f" The settings are: {settings}."
            raise InvalidSettings(f"{name} is not a setting of Pattern Sync.{hint}")


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _explain(error: ErrorDetails) -> str:
    fault = error.get("ctx", {}).get("error")
    if isinstance(fault, InvalidFilter):
        return fault.spelled(_variable)
    name = _variable("_".join(str(part) for part in error["loc"]))
    value = "" if "URL" in name or "TOKEN" in name else f" is {error['input']!r}:"  # a URL can hold a password
    return f"{name}{value} {error['msg'][0].lower()}{error['msg'][1:]}."
