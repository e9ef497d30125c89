"""Writes what the documents have from the code: `python -m tools.reference`, or `make docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.command_reference import command_sections
from tools.doctor_reference import check_table
from tools.error_reference import error_table
from tools.log_reference import log_table
from tools.markdown import fill
from tools.metrics_reference import metrics_table
from tools.settings_reference import settings_table

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
GENERATED: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_table,
    "commands.md": command_sections,
    "exit-codes.md": error_table,
    "log-events.md": log_table,
    "metrics.md": metrics_table,
    "../doctor.md": check_table,
}


def written(name: str) -> str:
    """Return a page as it has to be, with what people wrote of it as it is."""
    return fill((FOLDER / name).read_text(encoding="utf-8"), GENERATED[name]())


def main() -> None:
    """Write every page anew."""
    for name in GENERATED:
        page = written(name)
        (FOLDER / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
