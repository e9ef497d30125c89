"""How a diagnosis is printed: what is fine in a line each, what is not with its reason and its remedies."""

from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pattern_sync.doctor.check import Diagnosis, Finding, Means, Remedy, Result, State

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {State.OK: "green", State.UNKNOWN: "cyan", State.WARNING: "yellow", State.PROBLEM: "bold red"}


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as a JSON document."""
    return {
        "content": diagnosis.content,
        "counts": {state.value: diagnosis.count(state) for state in State},
        "checks": [_check_document(result) for result in diagnosis.results],
    }


def _check_document(result: Result) -> dict[str, Any]:
    return {
        "check": result.check.name,
        "state": result.state.value,
        "why": result.check.why,
        "findings": [_finding_document(finding) for finding in result.findings],
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    remedies = [{"means": each.means.value, "text": each.text, "role": each.role} for each in finding.remedies]
    return {"state": finding.state.value, "text": finding.text, "remedies": remedies}


def print_diagnosis(diagnosis: Diagnosis, console: "Console") -> None:
    """Print a line for each check, the worst last, and then a summary."""
    width = max(len(result.check.name) for result in diagnosis.results)
    seen: set[str] = set()
    for result in sorted(diagnosis.results, key=lambda each: list(State).index(each.state)):
        table = Table.grid(padding=(0, 2))
        table.add_column(width=width, no_wrap=True)
        table.add_column(width=max(map(len, State)), no_wrap=True)
        table.add_column(overflow="fold")
        for number, finding in enumerate(result.findings):
            name = Text(result.check.name if number == 0 else "")
            # One cause, such as a database that does not answer, keeps many checks from looking.
            repeated = finding.state is State.UNKNOWN and finding.text in seen
            seen.add(finding.text)
            text = Text("for the same reason" if repeated else finding.text)
            table.add_row(name, Text(finding.state, style=_STYLES[finding.state]), text)
        console.print(table)
        _print_way_out(result, console)
    console.print(Text(_summary(diagnosis), style=_STYLES[State.OK if diagnosis.content else State.PROBLEM]))


def _print_way_out(result: Result, console: "Console") -> None:
    if result.state in (State.WARNING, State.PROBLEM):
        console.print(Padding(Text(result.check.why, style="dim"), (0, 0, 0, 4)))
    for finding in result.findings:
        for remedy in finding.remedies:
            # Unwrapped, so that it can be copied.
            for line in remedy.text.splitlines():
                console.print(Text(f"    {_label(remedy)}{line}"), soft_wrap=True)


def _label(remedy: Remedy) -> str:
    as_whom = f" as {remedy.role}" if remedy.role else ""
    match remedy.means:
        case Means.ADVICE:
            return "do: "
        case Means.SETTING:
            return "set: "
        case _:
            return f"run{as_whom}: "


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _summary(diagnosis: Diagnosis) -> str:
    counts = {state: diagnosis.count(state) for state in State}
    parts = [
        _counted(counts[State.PROBLEM], "problem"),
        _counted(counts[State.WARNING], "warning"),
        f"{counts[State.UNKNOWN]} could not be checked",
        f"{counts[State.OK]} fine",
    ]
    verdict = "Nothing is wrong" if diagnosis.content else "Something is wrong"
    return f"{verdict}: {', '.join(parts)}."
