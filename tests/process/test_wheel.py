"""What is published, not the checkout: the wheel holds the SQL and the page, the source distribution everything."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.command import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the contents of the wheel in the folder TEST_WHEEL, else of one built here."""
    folder = tmp_path_factory.mktemp("wheel")
    if (given := os.environ.get("TEST_WHEEL")) is None:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    (wheel,) = Path(given or folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture(scope="module")
def packed_sources(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names of the files of a source distribution that is built here."""
    folder = tmp_path_factory.mktemp("sdist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (packed,) = folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def run_from(unpacked: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment(PYTHONPATH=str(unpacked)),
        cwd=unpacked.parent,
        check=True,
        capture_output=True,
    )
    return done.stdout.decode()


def test_the_wheel_holds_the_sql_and_py_typed(unpacked: Path) -> None:
    assert (unpacked / "pattern_sync" / "py.typed").is_file()
    packaged = {file.relative_to(unpacked / "pattern_sync") for file in unpacked.rglob("*.sql")}
    for file in (ROOT / "sql").rglob("*.sql"):
        assert file.relative_to(ROOT) in packaged


def test_the_wheel_holds_the_page(unpacked: Path) -> None:
    page = Path("pattern_sync/web/static")
    packaged = {file.name for file in (unpacked / page).iterdir()}
    assert packaged == {file.name for file in (ROOT / "daemon" / page).iterdir()}
    assert {"index.html", "app.js", "style.css"} <= packaged


def test_the_command_runs_from_the_wheel_alone(unpacked: Path) -> None:
    where = run_from(unpacked, "-c", "import pattern_sync; print(pattern_sync.__file__)")
    assert Path(where.strip()).is_relative_to(unpacked)
    printed = run_from(unpacked, "-m", "pattern_sync", "sql", "--application-tables")
    printed += run_from(unpacked, "-m", "pattern_sync", "sql", "--roles")
    for file in (ROOT / "sql").rglob("*.sql"):
        if file.name != "uninstall.sql":
            assert file.read_text(encoding="utf-8").strip() in printed


def test_the_source_distribution_holds_every_file_of_the_repository(packed_sources: set[str]) -> None:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    files = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    if not files:
        pytest.skip("this is no checkout of the repository")
    assert packed_sources - {"PKG-INFO"} == files


def test_what_a_package_index_shows_links_to_pages_of_this_version(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    headers, _, shown = metadata.read_text(encoding="utf-8").partition("\n\n")
    (version,) = re.findall(r"^Version: (.+)$", headers, re.MULTILINE)
    links = set(re.findall(r"\]\(([^)\s]+)\)", shown))
    repository = "https://github.com/pattern-sync/pattern-sync"
    assert f"{repository}/raw/v{version}/docs/review-page.png" in links
    for link in links:
        assert link.startswith((f"{repository}/blob/v{version}/", f"{repository}/raw/v{version}/")), link
        assert (ROOT / link.split(f"/v{version}/")[1].partition("#")[0]).is_file(), link
