"""The documents: links have targets, the reference matches the code, and every page is in an index."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pattern_sync.config import Settings
from pattern_sync.database.definitions import load_definitions
from tools.reference import FOLDER, GENERATED, written

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST_README = 110
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_BROWSERS_ADDRESS = re.compile(r"[a-z]+:")


def prose_of(document: Path) -> str:
    return _FENCED.sub("", document.read_text(encoding="utf-8"))


def anchors_of(document: Path) -> Iterator[str]:
    """Yield the names that GitHub gives to the headings."""
    for heading in _HEADING.findall(prose_of(document)):
        yield re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    for link in _LINK.findall(prose_of(document)):
        if _BROWSERS_ADDRESS.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_two_headings_of_a_document_share_an_anchor(document: Path) -> None:
    anchors = list(anchors_of(document))
    assert sorted(set(anchors)) == sorted(anchors)


def test_every_page_is_in_an_index() -> None:
    indexes = set((ROOT / "docs").rglob("README.md"))
    listed = {
        (index.parent / link.partition("#")[0]).resolve()
        for index in indexes
        for link in _LINK.findall(prose_of(index))
    }
    assert set((ROOT / "docs").rglob("*.md")) - {ROOT / "docs" / "README.md"} <= listed


@pytest.mark.parametrize("name", GENERATED)
def test_the_reference_matches_the_code(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == written(name), "the reference is out of date; run: make docs"


@pytest.mark.parametrize("setting", [*Settings.model_fields, "env_file"])
def test_the_reference_has_every_setting(setting: str) -> None:
    assert f"`PATTERN_SYNC_{setting.upper()}`" in (FOLDER / "settings.md").read_text(encoding="utf-8")


def test_the_reference_has_every_table_and_trigger_in_the_database() -> None:
    definitions = load_definitions()
    triggers = set(re.findall(r"'(pattern_sync_(?:announce|[a-z]+ed))', '[A-Z]", definitions.functions))
    assert len(triggers) == 5
    page = (FOLDER / "sql.md").read_text(encoding="utf-8")
    for name in (*(f"pattern_sync.{table}" for table in definitions.own_tables), *triggers):
        assert f"`{name}`" in page, name


def test_the_readme_is_short_and_shows_the_page_and_its_address() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_README
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
    assert f"http://127.0.0.1:{Settings.model_fields['http_port'].default}/" in text
