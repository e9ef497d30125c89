"""Settings that are allowed and probably not what was meant."""

import os
from pathlib import Path

import pytest

from pattern_sync.config import Settings, hints_about

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("PATTERN_SYNC_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def hints() -> list[str]:
    return list(hints_about(Settings.load()))


@pytest.mark.parametrize(("given", "meant"), [("0.7", "70"), ("1", "100"), ("0.005", "0.5")])
def test_a_confidence_that_looks_like_a_share_is_doubtful(
    monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    monkeypatch.setenv("PATTERN_SYNC_MIN_CONFIDENCE", given)
    assert hints() == [
        f"PATTERN_SYNC_MIN_CONFIDENCE is {given}, which means {given} %. If {meant} % is meant, write {meant}."
    ]


@pytest.mark.parametrize("given", ["0", "1.1", "70"])
def test_a_confidence_in_percent_is_not(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PATTERN_SYNC_MIN_CONFIDENCE", given)
    assert hints() == []


def test_a_secret_that_every_user_can_read_is_doubtful(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    file.chmod(0o640)
    monkeypatch.setenv("PATTERN_SYNC_API_TOKEN_FILE", str(file))
    assert hints() == []
    file.chmod(0o644)
    who = "every user of this machine"
    assert hints() == [f"PATTERN_SYNC_API_TOKEN_FILE '{file}' holds a secret that {who} can read. Set its mode to 600."]


@pytest.mark.parametrize(
    ("line", "is_secret"),
    [
        ("PATTERN_SYNC_DATABASE_URL=postgresql://app:s3cr3t@db/work", True),
        ("PATTERN_SYNC_DATABASE_URL=host=db password=s3cr3t", True),
        ("PATTERN_SYNC_ADMIN_TOKEN=s3cr3t", True),
        ("PATTERN_SYNC_DATABASE_URL=postgresql://app@db/work", False),
        ("PATTERN_SYNC_API_TOKEN=", False),
        ("PATTERN_SYNC_INTERVAL=60", False),
    ],
)
def test_a_settings_file_with_secrets_is_doubtful_where_every_user_can_read_it(
    tmp_path: Path, line: str, *, is_secret: bool
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    file.chmod(0o644)
    assert bool(hints()) is is_secret
    file.chmod(0o600)
    assert hints() == []
