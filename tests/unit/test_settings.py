"""Settings: where they come from, what is refused, and that no message holds a password."""

import os
from pathlib import Path

import pytest

from pattern_sync import InvalidSettings
from pattern_sync.config import Settings

SECRET = "s3cr3t"
URL = f"postgresql://app:{SECRET}@db.example/work"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("PATTERN_SYNC_") or name in {"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    return str(caught.value)


def test_the_default_settings_are_the_high_priority_filter_and_the_embedded_server() -> None:
    settings = Settings.load()
    assert settings.database_url is None
    wanted = settings.sync_filter()
    assert (wanted.min_confidence, wanted.min_occurrences, wanted.min_savings) == (70.0, 5, 1000.0)
    assert wanted.max_patterns is None
    assert settings.interval == 3600.0


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("data_dir", "/srv/state", Path("/srv/state")),
        ("interval", "60", 60.0),
        ("min_confidence", "82.5", 82.5),
        ("min_occurrences", "9", 9),
        ("min_savings", "0", 0.0),
        ("only_types", "sdlc, test ,", ("sdlc", "test")),
        ("exclude_types", "deploy", ("deploy",)),
        ("drain_seconds", "0", 0.0),
        ("http_host", "::1", "::1"),
        ("http_port", "0", 0),
        ("cors_origins", "https://panel.example, http://[::1]:9213,", ("https://panel.example", "http://[::1]:9213")),
        ("allowed_hosts", "panel.example, second.example", ("panel.example", "second.example")),
        ("public_url", "HTTPS://Review.Example:443/patterns", "https://review.example/patterns/"),
        ("identity_header", "X-Forwarded-User", "X-Forwarded-User"),
        ("log_level", "DEBUG", "debug"),
        ("log_format", "Json", "json"),
    ],
)
def test_each_variable_sets_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, given: str, value: object) -> None:
    monkeypatch.setenv(f"PATTERN_SYNC_{name.upper()}", given)
    assert getattr(Settings.load(), name) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("INTERVAL", "0"),
        ("INTERVAL", "nan"),
        ("INTERVAL", "1e9"),
        ("MIN_CONFIDENCE", "101"),
        ("MIN_CONFIDENCE", "high"),
        ("MIN_OCCURRENCES", "-1"),
        ("MIN_OCCURRENCES", "2.5"),
        ("MIN_OCCURRENCES", str(2**31)),
        ("MIN_SAVINGS", "inf"),
        ("MIN_SAVINGS", "-0.01"),
        ("DRAIN_SECONDS", "301"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "-1"),
        ("HTTP_PORT", "http"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "panel.example"),
        ("CORS_ORIGINS", "https://panel.example/path"),
        ("CORS_ORIGINS", "https://panel.example,null"),
        ("ALLOWED_HOSTS", "review.example:8443"),
        ("ALLOWED_HOSTS", "https://review.example"),
        ("PUBLIC_URL", "review.example/patterns"),
        ("PUBLIC_URL", "https://review.example/?x"),
        ("IDENTITY_HEADER", "X_Forwarded_User"),
        ("IDENTITY_HEADER", "X-Forwarded-User:"),
        ("IDENTITY_HEADER", "X-Reviewer"),
        ("IDENTITY_HEADER", "authorization"),
        *(("IDENTITY_HEADER", name) for name in ("X-Forwarded-For", "X-Real-IP", "Referer", "Accept", "Connection")),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(f"PATTERN_SYNC_{name}", given)
    message = refusal()
    assert f"PATTERN_SYNC_{name}" in message
    assert given in message


def test_all_invalid_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_INTERVAL", "0")
    monkeypatch.setenv("PATTERN_SYNC_MIN_SAVINGS", "-1")
    message = refusal()
    assert "PATTERN_SYNC_INTERVAL" in message
    assert "PATTERN_SYNC_MIN_SAVINGS" in message


def test_a_contradiction_is_refused_when_the_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_ONLY_TYPES", "sdlc,test")
    monkeypatch.setenv("PATTERN_SYNC_EXCLUDE_TYPES", "test")
    assert "contradict" in refusal()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_blank_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PATTERN_SYNC_{name.upper()}", "")
    assert getattr(Settings.load(), name) == Settings.model_fields[name].default


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_blank_value_in_the_file_counts_as_unset(name: str) -> None:
    Path(".env").write_text(f"PATTERN_SYNC_{name.upper()}=\n")
    assert getattr(Settings.load(), name) == Settings.model_fields[name].default


def test_a_misspelt_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_MIN_CONFIDENSE", "80")
    message = refusal()
    assert "PATTERN_SYNC_MIN_CONFIDENSE" in message
    assert "Did you mean PATTERN_SYNC_MIN_CONFIDENCE?" in message


def test_a_misspelt_line_of_the_file_is_refused_with_the_nearest_name() -> None:
    Path(".env").write_text("# ours\nPATTERN_SYNC_DATABSE_URL=" + URL + "\nOTHER_PROGRAM=1\n")
    message = refusal()
    assert "Did you mean PATTERN_SYNC_DATABASE_URL?" in message
    assert SECRET not in message


def test_an_unknown_variable_unlike_any_setting_is_refused_with_all_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_ZZZ", "1")
    message = refusal()
    assert all(f"PATTERN_SYNC_{name.upper()}" in message for name in Settings.model_fields)


def test_the_environment_wins_over_the_file_and_an_argument_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PATTERN_SYNC_INTERVAL=10\nPATTERN_SYNC_MIN_SAVINGS=7\nPATTERN_SYNC_DATA_DIR=/file\n")
    monkeypatch.setenv("PATTERN_SYNC_INTERVAL", "20")
    monkeypatch.setenv("PATTERN_SYNC_DATA_DIR", "/environment")
    settings = Settings.load(data_dir=Path("/argument"))
    assert (settings.interval, settings.min_savings, settings.data_dir) == (20.0, 7.0, Path("/argument"))


def test_the_named_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ours.env").write_text("PATTERN_SYNC_INTERVAL=10\n")
    monkeypatch.setenv("PATTERN_SYNC_ENV_FILE", str(tmp_path / "ours.env"))
    assert Settings.load().interval == 10.0


def test_a_named_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_ENV_FILE", "/nowhere/ours.env")
    message = refusal()
    assert "PATTERN_SYNC_ENV_FILE" in message
    assert "/nowhere/ours.env" in message


def test_a_binary_settings_file_is_refused() -> None:
    Path(".env").write_bytes(b"PATTERN_SYNC_INTERVAL=\xff\xfe\n")
    assert ".env" in refusal()


def test_a_credential_provides_the_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "pattern_sync_database_url").write_text(URL + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    settings = Settings.load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL


def test_a_variable_wins_over_a_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pattern_sync_interval").write_text("10")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PATTERN_SYNC_INTERVAL", "20")
    assert Settings.load().interval == 20.0


def test_the_password_is_in_no_form_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL", URL)
    settings = Settings.load()
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.setenv("PATTERN_SYNC_INTERVAL", "0")
    assert SECRET not in refusal()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.20", False),
        ("2001:db8::1", False),
        ("panel.example", False),
    ],
)
def test_a_token_is_required_beyond_loopback(monkeypatch: pytest.MonkeyPatch, host: str, *, loopback: bool) -> None:
    monkeypatch.setenv("PATTERN_SYNC_HTTP_HOST", host)
    monkeypatch.setenv("PATTERN_SYNC_ADMIN_TOKEN", "administrators")
    settings = Settings.load()
    if loopback:
        assert settings.tokens() == (None, "administrators", None)
    else:
        with pytest.raises(InvalidSettings) as caught:
            settings.tokens()
        for word in (host, "PATTERN_SYNC_HTTP_HOST", "PATTERN_SYNC_API_TOKEN", "127.0.0.1"):
            assert word in str(caught.value)
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN", "readers")
    assert Settings.load().tokens() == ("readers", "administrators", None)


def test_the_default_origin_on_loopback_is_the_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().origins() == (
        "http://localhost:9213",
        "http://localhost:5173",
        "http://127.0.0.1:9213",
        "http://127.0.0.1:5173",
    )
    monkeypatch.setenv("PATTERN_SYNC_CORS_ORIGINS", "https://panel.example")
    assert Settings.load().origins() == ("https://panel.example",)
    monkeypatch.setenv("PATTERN_SYNC_CORS_ORIGINS", "none")
    assert Settings.load().origins() == ()
    monkeypatch.delenv("PATTERN_SYNC_CORS_ORIGINS")
    monkeypatch.setenv("PATTERN_SYNC_HTTP_HOST", "0.0.0.0")
    assert Settings.load().origins() == ()


@pytest.mark.parametrize("position", range(3))
def test_a_token_comes_from_a_variable_a_file_or_a_credential(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, position: int
) -> None:
    kind = ["API", "ADMIN", "METRICS"][position]
    assert Settings.load().tokens() == (None, None, None)
    monkeypatch.setenv(f"PATTERN_SYNC_{kind}_TOKEN", f" {SECRET} ")
    assert Settings.load().tokens()[position] == SECRET
    monkeypatch.delenv(f"PATTERN_SYNC_{kind}_TOKEN")
    (tmp_path / "token").write_text(f"{SECRET}\n")
    monkeypatch.setenv(f"PATTERN_SYNC_{kind}_TOKEN_FILE", str(tmp_path / "token"))
    assert Settings.load().tokens()[position] == SECRET
    monkeypatch.delenv(f"PATTERN_SYNC_{kind}_TOKEN_FILE")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / f"pattern_sync_{kind.lower()}_token").write_text(f"{SECRET}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert Settings.load().tokens()[position] == SECRET
    assert Settings.load().tokens().count(None) == 2


def token_refusal() -> str:
    with pytest.raises(InvalidSettings) as caught:
        Settings.load().tokens()
    return str(caught.value)


@pytest.mark.parametrize("kind", ["API", "ADMIN", "METRICS"])
def test_a_token_from_two_places_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    (tmp_path / "token").write_text(SECRET)
    monkeypatch.setenv(f"PATTERN_SYNC_{kind}_TOKEN", SECRET)
    monkeypatch.setenv(f"PATTERN_SYNC_{kind}_TOKEN_FILE", str(tmp_path / "token"))
    message = token_refusal()
    assert f"PATTERN_SYNC_{kind}_TOKEN and PATTERN_SYNC_{kind}_TOKEN_FILE" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two s3cr3t words", b"s3cr3t\nlines", b"s3cr3t\x07", b"s3cr3t\xff", "s3cr3té".encode()]
)
def test_a_file_that_holds_no_token_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN_FILE", str(tmp_path / "token"))
    message = token_refusal()
    assert "PATTERN_SYNC_API_TOKEN_FILE" in message
    assert str(tmp_path / "token") in message
    assert SECRET not in message


@pytest.mark.parametrize("value", [" ", "two s3cr3t words", "s3cr3té", "s3cr3t\tx"])
def test_a_variable_that_holds_no_token_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PATTERN_SYNC_ADMIN_TOKEN", value)
    message = token_refusal()
    assert "PATTERN_SYNC_ADMIN_TOKEN holds no token" in message
    assert SECRET not in message


@pytest.mark.parametrize("name", ["nothing-here", "."])
def test_a_token_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN_FILE", str(tmp_path / name))
    message = token_refusal()
    assert "PATTERN_SYNC_API_TOKEN_FILE" in message
    assert "cannot be read" in message


def test_an_empty_credential_holds_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pattern_sync_api_token").write_text("\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "holds no token" in token_refusal()


def test_a_token_is_in_no_form_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN", SECRET)
    monkeypatch.setenv("PATTERN_SYNC_ADMIN_TOKEN", f"admin-{SECRET}")
    settings = Settings.load()
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.setenv("PATTERN_SYNC_HTTP_PORT", "x")
    assert SECRET not in refusal()
