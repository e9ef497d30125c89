"""Where settings are looked for, what is refused there, and when an embedded server may be started."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pattern_sync import InvalidSettings
from pattern_sync.config import Settings
from pattern_sync.config.secrets import readable_by_others

SECRET = "s3cr3t"
URL = f"postgresql://app:{SECRET}@db.example/work"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("PATTERN_SYNC_") or name in {"NOTIFY_SOCKET", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM"}:
            monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def refusal() -> str:
    with pytest.raises(InvalidSettings) as caught:
        Settings.load().url()
    return str(caught.value)


def test_a_person_gets_the_embedded_server_without_asking() -> None:
    assert Settings.load().url() is None


@pytest.mark.parametrize("sign", ["NOTIFY_SOCKET", "SYSTEMD_EXEC_PID"])
def test_a_service_without_a_database_is_refused_with_where_it_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sign: str
) -> None:
    monkeypatch.setenv(sign, "/run/systemd/notify" if sign == "NOTIFY_SOCKET" else str(os.getpid()))
    assert refusal() == (
        "PATTERN_SYNC_DATABASE_URL is not set, and under a service manager an embedded server is started only if it is"
        " asked for by name. Looked for it, and for PATTERN_SYNC_DATABASE_URL_FILE: in the environment; in"
        f" '{tmp_path}/.env', which does not exist. Set it, or name a folder for an embedded server with"
        " PATTERN_SYNC_DATA_DIR or --data-dir."
    )


def test_with_a_credentials_folder_the_refusal_lists_what_it_holds(credentials: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PATTERN_SYNC_INTERVAL=60\n")
    (credentials / "pattern_sync_api_token").write_text(SECRET)
    (credentials / "postgres_password").write_text(SECRET)
    assert refusal() == (
        "PATTERN_SYNC_DATABASE_URL is not set, and with a credentials folder an embedded server is started only if it"
        " is asked for by name. Looked for it, and for PATTERN_SYNC_DATABASE_URL_FILE: in the environment; in"
        f" '{tmp_path}/.env', which does not set it; for pattern_sync_database_url in '{credentials}', which holds"
        " pattern_sync_api_token, postgres_password. Set it, or name a folder for an embedded server with"
        " PATTERN_SYNC_DATA_DIR or --data-dir."
    )


def test_a_shell_that_inherited_a_managers_variables_is_not_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getppid()))
    monkeypatch.setenv("INVOCATION_ID", "5f0c")
    assert Settings.load().url() is None


@pytest.mark.parametrize("leads", [True, False], ids=["to the journal", "elsewhere"])
def test_a_process_of_a_wrapper_is_a_service_if_its_errors_go_to_the_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, leads: bool
) -> None:
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getppid()))
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "terminal").open("w") as terminal:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr("sys.stderr", journal if leads else terminal)
        if leads:
            assert "under a service manager an embedded server is started only if" in refusal()
        else:
            assert Settings.load().url() is None


def test_a_process_without_standard_error_can_read_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert Settings.load().url() is None


@pytest.mark.usefixtures("credentials")
def test_a_service_may_ask_for_the_embedded_server_by_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@manager")
    assert Settings.load(data_dir=tmp_path).url() is None
    monkeypatch.setenv("PATTERN_SYNC_DATA_DIR", str(tmp_path))
    assert Settings.load().url() is None


@pytest.mark.parametrize("name", ["pattern_sync_databse_url", "pattern-sync-database-url", "PatternSync.DATABASE_URL"])
def test_a_misspelt_credential_is_refused_like_a_variable(credentials: Path, name: str) -> None:
    (credentials / name).write_text(URL)
    assert refusal() == (
        f"{name}, in the credentials folder '{credentials}', is not a setting of Pattern Sync."
        " Did you mean pattern_sync_database_url?"
    )


@pytest.mark.parametrize("name", ["database_url", "database-url", "DATABASE_URL", "databse_url"])
@pytest.mark.parametrize("data_dir", [None, Path("/srv/state")])
def test_a_credential_that_lacks_our_prefix_is_refused(credentials: Path, name: str, data_dir: Path | None) -> None:
    (credentials / name).write_text(URL)
    with pytest.raises(InvalidSettings) as caught:
        Settings.load(data_dir=data_dir).url()
    assert str(caught.value) == (
        f"{name}, in the credentials folder '{credentials}', is not read by Pattern Sync. Rename it to"
        " pattern_sync_database_url, or set PATTERN_SYNC_DATABASE_URL_FILE to its path."
    )


@pytest.mark.parametrize("kind", ["api", "admin", "metrics"])
def test_a_token_that_lacks_our_prefix_is_refused(credentials: Path, kind: str) -> None:
    (credentials / f"{kind}-token").write_text(SECRET)
    with pytest.raises(InvalidSettings, match=f"Rename it to pattern_sync_{kind}_token, or set"):
        Settings.load().tokens()


def test_others_secrets_in_the_same_folder_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, credentials: Path, tmp_path: Path
) -> None:
    for name in ("postgres_password", "database_url", "api_token", "tls.key", "db_url", "..data", "interval"):
        (credentials / name).write_text(SECRET)
    (credentials / "closed").mkdir(mode=0)
    (credentials / "broken").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL", URL)
    assert Settings.load().url() == URL  # a program beside the application does not even ask for tokens
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN_FILE", str(credentials / "api_token"))
    assert Settings.load().tokens() == (SECRET, None, None)


def test_a_file_that_a_setting_mentions_is_not_misspelt(monkeypatch: pytest.MonkeyPatch, credentials: Path) -> None:
    (credentials / "pattern_sync_token").write_text(SECRET)
    (credentials / "pattern_sync_client.key").write_text(SECRET)
    (credentials / "pattern_sync_database_url").write_text(f"{URL}?sslkey={credentials}/pattern_sync_client.key")
    assert "pattern_sync_token, in the credentials folder" in refusal()
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN_FILE", str(credentials / "pattern_sync_token"))
    assert Settings.load().tokens() == (SECRET, None, None)


def test_a_credential_of_any_case_is_read(credentials: Path) -> None:
    (credentials / "PATTERN_SYNC_DATABASE_URL").write_text(f"{URL}\n")
    assert Settings.load().url() == URL


def test_a_credentials_folder_that_cannot_be_listed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, reason in {"nowhere": "No such file or directory", "file": "Not a directory"}.items():
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / name))
        assert refusal() == (
            f"CREDENTIALS_DIRECTORY is '{tmp_path}/{name}', which cannot be read: {reason}. Name a folder that this"
            " user may read, or unset it."
        )


def test_a_credential_that_cannot_be_read_is_refused(credentials: Path) -> None:
    file = credentials / "pattern_sync_database_url"
    file.mkdir()
    assert refusal() == (
        f"The credential '{file}' cannot be read: Is a directory. Make it a file that this user may read."
    )
    file.rmdir()
    file.write_bytes(b"\xff\xfe")
    assert refusal() == f"The credential '{file}' is not valid UTF-8; save it as UTF-8 text."


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A working directory that we may not enter: as root, permissions alone would not keep us out."""
    folder = tmp_path / "closed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    if os.geteuid() != 0:
        folder.chmod(0)
        yield folder
        folder.chmod(0o700)
        return
    folder.chmod(0o700)
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    yield folder
    os.seteuid(0)


def test_a_closed_working_directory_is_named_with_the_way_out(closed: Path) -> None:
    assert refusal() == (
        f"The settings file '{closed}/.env' cannot be read: Permission denied. Let this user read it, or name another"
        " file with PATTERN_SYNC_ENV_FILE."
    )


def test_a_closed_credentials_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    closed = request.getfixturevalue("closed")
    monkeypatch.chdir("/")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(closed))
    assert f"CREDENTIALS_DIRECTORY is '{tmp_path}/closed', which cannot be read: Permission denied." in refusal()


def test_a_deleted_working_directory_holds_no_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "deleted"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert Settings.load().url() is None
    monkeypatch.chdir(tmp_path)  # before it is undone, in a folder that is there


def test_the_url_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, credentials: Path, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{URL}\n")
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL_FILE", str(file))
    settings = Settings.load()
    assert settings.url() == URL
    assert SECRET not in f"{settings!r} {settings.model_dump_json()} {settings.sources!r}"
    monkeypatch.delenv("PATTERN_SYNC_DATABASE_URL_FILE")
    (credentials / "pattern_sync_database_url_file").write_text(str(file))
    assert Settings.load().url() == URL


@pytest.mark.parametrize("in_file", [False, True], ids=["variable", "settings file"])
@pytest.mark.parametrize(("name", "given"), [("", "_FILE"), ("_file", "")], ids=["secret", "file"])
@pytest.mark.parametrize("secret", ["DATABASE_URL", "API_TOKEN", "ADMIN_TOKEN", "METRICS_TOKEN"])
def test_a_credential_gives_way_to_the_secret_and_to_its_file(
    monkeypatch: pytest.MonkeyPatch,
    credentials: Path,
    tmp_path: Path,
    secret: str,
    name: str,
    given: str,
    *,
    in_file: bool,
) -> None:
    (tmp_path / "secret").write_text("given")
    (credentials / f"pattern_sync_{secret.lower()}{name}").write_text("/nowhere")
    value = str(tmp_path / "secret") if given else "given"
    if in_file:
        (tmp_path / ".env").write_text(f"PATTERN_SYNC_{secret}{given}={value}\n")
    else:
        monkeypatch.setenv(f"PATTERN_SYNC_{secret}{given}", value)
    settings = Settings.load()
    assert "given" in (settings.url() if secret == "DATABASE_URL" else None, *settings.tokens())


def test_a_url_from_two_places_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(URL)
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert Settings.load(database_url="postgresql://other/db").url() == "postgresql://other/db"
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL", URL)
    assert refusal() == (
        "PATTERN_SYNC_DATABASE_URL and PATTERN_SYNC_DATABASE_URL_FILE are both set; unset one of them."
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"\n", "is empty; write a postgresql:// URL."),
        (b"\xff\xfe", "is not valid UTF-8; save it as UTF-8 text."),
    ],
)
def test_a_file_that_holds_no_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL_FILE", str(file))
    assert refusal() == f"PATTERN_SYNC_DATABASE_URL_FILE, '{file}', {complaint}"


def test_the_sources_name_what_is_set_where(monkeypatch: pytest.MonkeyPatch, credentials: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PATTERN_SYNC_MIN_SAVINGS=7\nPATTERN_SYNC_LOG_LEVEL=\nOTHER=1\n")
    (credentials / "pattern_sync_database_url").write_text(URL)
    monkeypatch.setenv("PATTERN_SYNC_INTERVAL", "60")
    monkeypatch.setenv("PATTERN_SYNC_HTTP_PORT", "")
    sources = Settings.load().sources
    assert sources.variables == ["PATTERN_SYNC_INTERVAL"]
    assert (sources.env_file, sources.file_settings) == (tmp_path / ".env", ["PATTERN_SYNC_MIN_SAVINGS"])
    assert list(sources.credentials.texts) == ["database_url"]


def test_a_file_is_open_to_others_by_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch()
    for mode, is_open in {0o600: False, 0o640: False, 0o644: True, 0o604: True}.items():
        file.chmod(mode)
        assert readable_by_others(file) is is_open
    assert not readable_by_others(tmp_path / "nowhere")
