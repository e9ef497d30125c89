"""The commands about rules: what they are, their trial on one's own history, and the switches."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import name_text, words
from pattern_sync.cli.output import local, print_json
from pattern_sync.cli.review import Json, Pattern, Reviewer, review
from pattern_sync.domain.batches import UndoOutcome
from pattern_sync.domain.characters import shown_name
from pattern_sync.domain.moments import in_zone
from pattern_sync.domain.rules import RuleState, RuleTerms, RuleVerdict, VetoOutcome, bounds_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.rule_trial import RuleTrial
    from pattern_sync.domain.rules import Rule
    from pattern_sync.ruling import RuleView

rules = typer.Typer(
    no_args_is_help=True,
    help="Rules that decide for people, once people's own decisions have shown that they agree. Each is off until it is"
    " switched on.",
)

_AGO = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[hdw])")
_HOURS = {"h": 1.0, "d": 24.0, "w": 168.0}
_SHOWN_MARKS = 20
_CLEARABLE = [name for name in RuleTerms.__dataclass_fields__ if name != "verdict"]


def _since(said: str) -> datetime:
    """Return the time that somebody has typed, or so long ago. Raises BadParameter."""
    if ago := _AGO.fullmatch(said.strip()):
        return datetime.now().astimezone() - timedelta(hours=float(ago["number"]) * _HOURS[ago["unit"]])
    try:
        return in_zone(datetime.fromisoformat(said))
    except ValueError:
        raise typer.BadParameter(f"{said!r} is no time; write 30d, 12h, 2026-12-01 or '2026-12-01 09:30'.") from None


def _clearable(said: str) -> str:
    name = said.replace("-", "_")
    if name not in _CLEARABLE:
        known = ", ".join(each.replace("_", "-") for each in _CLEARABLE)
        raise typer.BadParameter(f"{said!r} is no term of a rule that can be taken away; there are {known}.")
    return name


Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")]
Since = Annotated[
    datetime | None, typer.Option(parser=_since, metavar="TIME", help="From then on: a time, or so long ago, as 30d.")
]
Words = Annotated[list[str] | None, typer.Option(metavar="TEXT")]


def add_commands(app: typer.Typer) -> None:
    """Add `rules` with its own commands, and to `review` the objection to what rules are about to do."""
    app.add_typer(rules, name="rules")
    review.command()(veto)


@rules.command("list")
def list_rules(context: typer.Context, *, json: Json = False) -> None:
    """List the rules."""
    session: Session = context.obj
    with session.service() as service:
        found = service.rules()
    if json:
        print_json([asdict(rule) for rule in found])
    elif not found:
        typer.echo("There is no rule. Write one with: pattern-sync rules set NAME --verdict reject --max-savings 100")
    else:
        Console().print(_table(found))


@rules.command()
def show(context: typer.Context, name: Name, *, json: Json = False) -> None:
    """Show one rule: its terms, people's agreement with it, what it has marked, and what it did."""
    session: Session = context.obj
    with session.service() as service:
        view = service.get_rule(name)
    if json:
        print_json(asdict(view))
        return
    console = Console()
    console.print(_view_table(view))
    if view.marks:
        console.print(_marks_table(view))


@rules.command("set")
def set_rule(
    context: typer.Context,
    name: Name,
    *,
    verdict: Annotated[RuleVerdict | None, typer.Option(help="What it decides; a new rule needs it.")] = None,
    min_confidence: Annotated[float | None, typer.Option(help="Lowest confidence, in percent.")] = None,
    max_confidence: Annotated[float | None, typer.Option(help="Highest confidence, in percent.")] = None,
    min_occurrences: Annotated[int | None, typer.Option(help="Lowest number of occurrences.")] = None,
    min_savings: Annotated[float | None, typer.Option(help="Lowest savings, in USD a month, as claimed.")] = None,
    max_savings: Annotated[
        float | None, typer.Option(help="Highest savings, in USD a month; a rule that approves needs it.")
    ] = None,
    only_kinds: Annotated[list[str] | None, typer.Option(help="A kind that it may decide; may be repeated.")] = None,
    exclude_kinds: Annotated[list[str] | None, typer.Option(help="A kind that it leaves alone; repeatable.")] = None,
    needs_tools: Annotated[list[str] | None, typer.Option(help="A tool that the sequence has to have.")] = None,
    without_tools: Annotated[list[str] | None, typer.Option(help="A tool that it must not have.")] = None,
    min_workflows: Annotated[int | None, typer.Option(help="Lowest number of distinct workflows.")] = None,
    min_days_seen: Annotated[float | None, typer.Option(help="Days between the first and the last, at least.")] = None,
    allow_flags: Annotated[
        list[str] | None, typer.Option(help="A flag that does not keep an entry from the rule; repeatable.")
    ] = None,
    wait_hours: Annotated[float | None, typer.Option(help="Hours in which people may object: 1 to 720.")] = None,
    per_day: Annotated[int | None, typer.Option(help="Most that it decides in 24 hours: 1 to 1000.")] = None,
    check_share: Annotated[float | None, typer.Option(help="Share that is left to people: 0.01 to 0.5.")] = None,
    agreement: Annotated[
        float | None, typer.Option(help="Lower bound of people's agreement that it has to reach: 0.8 to 0.99.")
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(parser=_clearable, metavar="TERM", help="Take a term away, such as max-savings; repeatable."),
    ] = None,
    reviewer: Reviewer = None,
    json: Json = False,
) -> None:
    """Write a rule, or change terms of one; what is not named stays. A new rule is off.

    A change is a new version, and a rule that was on watches again.
    """
    given: dict[str, Any] = {
        "verdict": verdict,
        "min_confidence": min_confidence,
        "max_confidence": max_confidence,
        "min_occurrences": min_occurrences,
        "min_savings": min_savings,
        "max_savings": max_savings,
        "only_kinds": only_kinds,
        "exclude_kinds": exclude_kinds,
        "needs_tools": needs_tools,
        "without_tools": without_tools,
        "min_workflows": min_workflows,
        "min_days_seen": min_days_seen,
        "allow_flags": allow_flags,
        "wait_hours": wait_hours,
        "per_day": per_day,
        "check_share": check_share,
        "agreement": agreement,
    }
    plain = RuleTerms(RuleVerdict.REJECT)
    cleared = {name: getattr(plain, name) for name in clear or []}
    named = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value not in (None, [])
    }
    session: Session = context.obj
    with session.service() as service:
        rule = service.set_rule(name, reviewer=reviewer, **{**cleared, **named})
    _print(rule, json=json)
    if not json and rule.state is RuleState.OFF:
        typer.echo(f"Try it on your own history with: pattern-sync rules try {rule.name}")


@rules.command("try")
def try_rule(context: typer.Context, name: Name, *, since: Since = None, json: Json = False) -> None:
    """Try a rule on your own history: what it would have decided, and what people decided instead.

    Nothing is written. Exits with 1 if it would decide everything, or can never fire.
    """
    session: Session = context.obj
    with session.service() as service:
        trial = service.try_rule(name, since)
    if json:
        print_json(asdict(trial))
    else:
        _print_trial(trial)
    if trial.alarms or trial.never:
        raise typer.Exit(1)


@rules.command()
def watch(context: typer.Context, name: Name, *, reviewer: Reviewer = None, json: Json = False) -> None:
    """Have a rule mark what it would decide, and decide nothing."""
    session: Session = context.obj
    with session.service() as service:
        _print(service.watch_rule(name, reviewer=reviewer), json=json)


@rules.command("on")
def turn_on(context: typer.Context, name: Name, *, reviewer: Reviewer = None, json: Json = False) -> None:
    """Have a rule decide: refused until people's agreement reaches what the rule needs."""
    session: Session = context.obj
    with session.service() as service:
        _print(service.turn_rule_on(name, reviewer=reviewer), json=json)


@rules.command("off")
def turn_off(context: typer.Context, name: Name, *, reviewer: Reviewer = None, json: Json = False) -> None:
    """Have a rule do nothing."""
    session: Session = context.obj
    with session.service() as service:
        _print(service.turn_rule_off(name, reviewer=reviewer), json=json)


@rules.command()
def revert(
    context: typer.Context, name: Name, *, since: Since = None, reviewer: Reviewer = None, json: Json = False
) -> None:
    """Take back what a rule has decided, for seven days, and pause it; what people have touched since is left."""
    session: Session = context.obj
    with session.service() as service:
        reverted = service.revert_rule(name, since, reviewer=reviewer)
    if json:
        print_json(asdict(reverted))
    else:
        typer.echo(f"{reverted.undone:,} of {len(reverted.outcomes):,} decisions of rule {name} are taken back.")
        for item in reverted.outcomes:
            if item.outcome is not UndoOutcome.UNDONE:
                typer.echo(f"{shown_name(item.pattern_id)}: {item.outcome}")
        if reverted.paused:
            typer.echo("The rule is paused.")
    if reverted.undone < len(reverted.outcomes):
        raise typer.Exit(1)


def veto(
    context: typer.Context,
    signature: Pattern,
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for others to read.")] = None,
    reviewer: Reviewer = None,
    json: Json = False,
) -> None:
    """Object to what rules are about to decide of a pattern: none of them ever does."""
    session: Session = context.obj
    with session.service() as service:
        outcome = service.veto(signature, reviewer=reviewer, reason=reason)
    if json:
        print_json({"pattern_id": signature, "outcome": outcome})
    else:
        back = " What one had decided just now is taken back." if outcome is VetoOutcome.TAKEN_BACK else ""
        typer.echo(f"No rule will decide {shown_name(signature)}.{back}")


def _print(rule: "Rule", *, json: bool) -> None:
    if json:
        print_json(asdict(rule))
    else:
        typer.echo(f"Rule {rule.name}, version {rule.version}, is {rule.state}: {bounds_in_words(rule.terms)}.")


def _print_trial(trial: "RuleTrial") -> None:
    console = Console()
    for alarm in trial.alarms:
        console.print(Text(alarm, style="bold red"), soft_wrap=True)
    for sentence in trial.never:
        console.print(Text(sentence, style="bold red"), soft_wrap=True)
    measured, terms = trial.measured, trial.rule.terms
    when = "" if trial.since is None else f" since {local(trial.since)}"
    largest = "" if measured.largest_usd is None else f", the largest worth {measured.largest_usd:,.2f} USD a month"
    typer.echo(
        f"Rule {trial.rule.name}, version {trial.rule.version}, would have {terms.verdict.decision}"
        f" {measured.fitting:,} of {measured.decided:,} patterns that people decided{when}{largest}."
    )
    typer.echo(
        f"People decided {measured.agreed:,} of them likewise, {measured.fitting - measured.agreed:,} otherwise."
    )
    if trial.disagreements:
        console.print(_disagreements_table(trial))
    typer.echo(
        f"Of {trial.pending:,} pending entries it would decide {trial.fitting_pending:,}, worth"
        f" {trial.fitting_savings_usd:,.2f} USD a month; {terms.check_share:.0%} of them are left to people."
    )
    typer.echo(f"Proof: {trial.proof_in_words}")


def _table(found: "Sequence[Rule]") -> Table:
    table = Table(title="Rules", title_justify="left")
    for heading in ("name", "state", "verdict"):
        table.add_column(heading, no_wrap=True)
    table.add_column("bounds", overflow="fold")
    table.add_column("changed by", overflow="fold")
    for rule in found:
        table.add_row(
            f"{rule.name}@{rule.version}",
            _state_of(rule),
            rule.terms.verdict,
            words(bounds_in_words(rule.terms)),
            words(f"{rule.changed_by}, {local(rule.changed_at)}"),
        )
    return table


def _state_of(rule: "Rule") -> Text:
    return words(f"{rule.state}: {rule.paused_because}" if rule.paused_because else str(rule.state))


def _view_table(view: "RuleView") -> Table:
    rule, terms, counts = view.rule, view.rule.terms, view.counts
    table = Table(title=f"Rule {rule.name}, version {rule.version}", title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("state", _state_of(rule))
    table.add_row("verdict", terms.verdict)
    table.add_row("bounds", words(bounds_in_words(terms)))
    table.add_row(
        "guards",
        f"{terms.wait_hours:g} hours to object, {terms.per_day:,} a day, {terms.check_share:.0%} left to people,"
        f" agreement {terms.agreement:.0%}",
    )
    table.add_row("proof", view.proof_in_words)
    table.add_row(
        "checks", f"people decided {counts.checks_agreed:,} of {counts.checks_judged:,} left to them likewise"
    )
    table.add_row("marked", f"{counts.marked:,}, and {counts.left_as_checks:,} left to people")
    table.add_row("decided", f"{counts.decided:,}, {counts.decided_today:,} of them in the last 24 hours")
    if counts.vetoed:
        table.add_row("objected to", f"{counts.vetoed:,}")
    if counts.taken_back:
        table.add_row("taken back", f"{counts.taken_back:,}")
    for event in view.events:
        about = f" {shown_name(event.pattern_id)}" if event.pattern_id else ""
        who = f" by {event.reviewer}" if event.reviewer else ""
        why = f": {event.reason}" if event.reason else ""
        table.add_row(local(event.at), words(f"{event.act}{about}{who}{why}"))
    return table


def _marks_table(view: "RuleView") -> Table:
    table = Table(title=f"It would {view.rule.terms.verdict}", title_justify="left")
    table.add_column("pattern", overflow="fold")
    table.add_column("unless somebody objects, at")
    for mark in view.marks[:_SHOWN_MARKS]:
        table.add_row(name_text(mark.pattern_id), local(mark.due_at) or "never: it only watches")
    if len(view.marks) > _SHOWN_MARKS:
        table.add_row(f"and {len(view.marks) - _SHOWN_MARKS:,} more; --json lists all", "")
    return table


def _disagreements_table(trial: "RuleTrial") -> Table:
    others = "rejected" if trial.rule.terms.verdict is RuleVerdict.APPROVE else "approved"
    table = Table(title=f"People {others}", title_justify="left")
    table.add_column("pattern", overflow="fold")
    table.add_column("USD a month", justify="right")
    table.add_column("by", overflow="fold")
    table.add_column("when")
    table.add_column("reason", overflow="fold")
    for each in trial.disagreements:
        table.add_row(
            name_text(each.pattern_id),
            f"{each.savings_usd:,.2f}",
            words(each.reviewer or ""),
            local(each.decided_at),
            words(each.reason or ""),
        )
    return table
