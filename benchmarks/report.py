"""The results beside their floors: one table for people, one file for machines."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row. With a floor, `bound` is for the ratio to it, else for the value; without a bound it only informs."""

    what: str
    unit: str
    measured: float
    floor: float | None = None
    bound: float | None = None
    at_most: bool = True
    paired_ratio: float | None = None  # of measurements taken back to back, so that a drifting machine spoils less
    note: str = ""
    where: str = ""
    load: float = field(default_factory=lambda: os.getloadavg()[0])  # of the minute before the measurement

    @property
    def ratio(self) -> float | None:
        if self.paired_ratio is not None:
            return self.paired_ratio
        return self.measured / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        if self.bound is None:
            return None
        value = self.measured if self.floor is None else self.ratio
        if value is None:
            return False
        return value <= self.bound if self.at_most else value >= self.bound

    @property
    def target(self) -> str:
        if self.bound is None:
            return ""
        side = "≤" if self.at_most else "≥"
        return f"{side} {self.bound:g} {self.unit}" if self.floor is None else f"{side} {self.bound:g} x"

    def line(self) -> str:
        ratio = "" if self.ratio is None else f", {self.ratio:.2f} x the floor"
        verdict = {True: ", met", False: ", MISSED", None: ""}[self.met]
        return f"[{self.where}] {self.what}: {_figure(self.measured)} {self.unit}{ratio}{verdict} {self.note}"

    def to_dict(self) -> dict[str, object]:
        return {
            "where": self.where,
            "what": self.what,
            "unit": self.unit,
            "measured": self.measured,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": self.target,
            "met": self.met,
            "note": self.note,
            "load": round(self.load, 2),
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and server of a measurement."""

    postgresql: str
    durable: str
    python: str = platform.python_version()
    system: str = f"{platform.system()} {platform.machine()}"
    cpus: int = os.cpu_count() or 0

    def __str__(self) -> str:
        return (
            f"{self.cpus} CPUs, {self.system}, Python {self.python}, PostgreSQL {self.postgresql} ({self.durable}),"
            f" load {' '.join(f'{load:.1f}' for load in os.getloadavg())}, {_now():%Y-%m-%d %H:%M} UTC"
        )


def print_table(measurements: Sequence[Measurement], machine: str) -> None:
    table = Table(title="Pattern Sync against its floors", caption=machine, title_justify="left")
    table.add_column("where", no_wrap=True)
    table.add_column("what")
    for name in ("measured", "floor", "ratio", "target", "load"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("met")
    for item in measurements:
        verdict = {True: "[green]yes[/]", False: "[bold red]NO[/]", None: ""}[item.met]
        table.add_row(
            item.where,
            item.what + (f"\n  [dim]{item.note}[/]" if item.note else ""),
            f"{_figure(item.measured)} {item.unit}",
            "" if item.floor is None else f"{_figure(item.floor)} {item.unit}",
            "" if item.ratio is None else f"{item.ratio:.2f} x",
            item.target,
            f"{item.load:.1f}",
            verdict,
        )
    # A file or a pipe has no width of its own, and a cell that is cut off is no result.
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)


def write_json(measurements: Sequence[Measurement], machine: str, path: Path, *, quick: bool) -> None:
    document = {
        "measured_at": _now().isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine,
        "results": [item.to_dict() for item in measurements],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _figure(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _now() -> datetime:
    return datetime.now(UTC)
