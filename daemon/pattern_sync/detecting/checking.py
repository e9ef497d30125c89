"""What a detector could not see, said before what it found: in words, each with the way out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pattern_sync.detecting import rollouts, transcripts
from pattern_sync.detecting.figures import LEAST_DAYS
from pattern_sync.detecting.reading import Reading
from pattern_sync.detecting.terms import Terms
from pattern_sync.domain.evidence import span_of
from pattern_sync.domain.routines import SeenOf

_DAY_SECONDS = 86_400
# A small part is in every log: calls that are at work, or that a crash has cut off.
_FEW = 0.02
_MANY_OTHERS = 0.2
_OF_FILES = frozenset({transcripts.SOURCE, rollouts.SOURCE})


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence on what was seen. `is_doubt` is false for one that only says how much it was."""

    name: str
    sentence: str
    is_doubt: bool = True


def remarks_on(
    seen: Iterable[SeenOf], reading: Reading | None = None, terms: Terms | None = None
) -> tuple[Remark, ...]:
    """Return the self-check: of each source how much was seen, then what could not be."""
    least = (terms or Terms()).min_sessions
    listed = tuple(seen)
    if not listed:
        return (*_of_files(reading), Remark("nothing", "No session was found: nothing can be said."))
    return (*(remark for each in listed for remark in _of_source(each)), *_of_files(reading), *_of_all(listed, least))


def _of_source(seen: SeenOf) -> Iterator[Remark]:
    yield Remark(
        "seen",
        f"{seen.source}: {_count(seen.calls, 'call')} in {_count(seen.sessions, 'session')}{_span(seen)}.",
        is_doubt=False,
    )
    if not seen.calls:
        return
    of_calls = f"of {_count(seen.calls, 'call')} of {seen.source}"
    if seen.unseen_failures:
        yield Remark(
            "failures-unseen",
            f"{seen.unseen_failures:,} {of_calls} are in sessions where a failed call leaves no trace, so that repairs"
            " cannot be found there: register PostToolUseFailure and PreToolUse, too.",
        )
    if seen.without_outcome > _FEW * seen.calls:
        yield Remark("no-outcome", f"{seen.without_outcome:,} {of_calls} have no outcome. {_why_no_outcome(seen)}")
    if seen.cut_off:
        yield Remark(
            "cut-off",
            f"{seen.cut_off:,} {of_calls} began, and nothing says how they ended while later ones did: they are taken"
            " for failed, denied or interrupted. PostToolUseFailure would say which.",
        )
    if seen.without_cost == seen.calls:
        yield Remark(
            "no-cost", f"No call of {seen.source} has a cost, so that no savings can be told. {_why_no_cost(seen)}"
        )
    elif seen.without_cost > _FEW * seen.calls:
        yield Remark(
            "no-cost",
            f"{seen.without_cost:,} {of_calls} have no cost; the savings are those of the others. {_why_no_cost(seen)}",
        )
    if seen.without_time:
        yield Remark(
            "no-time", f"{seen.without_time:,} {of_calls} have no time, and do not count for how long it was seen."
        )
    if seen.other_words > _MANY_OTHERS * seen.calls:
        yield Remark(
            "no-name",
            f"{seen.other_words:,} {of_calls} are of tools, programs or files that the vocabulary does not name; your"
            " own may name them.",
        )


def _of_files(reading: Reading | None) -> Iterator[Remark]:
    if reading is None:
        return
    skipped = reading.skipped
    if reading.unreadable:
        yield Remark(
            "unreadable", f"{_count(reading.unreadable, 'file')} could not be opened: missing, or not yours to read."
        )
    if reading.compressed:
        yield Remark(
            "compressed", f"{_count(reading.compressed, 'file')} are compressed and were left out: unpack them first."
        )
    if skipped.too_long:
        yield Remark(
            "too-long", f"{_count(skipped.too_long, 'line')} of over 8 MB were passed over; calls in them are missing."
        )
    if skipped.cut or skipped.strange:
        broken = skipped.cut + skipped.strange
        yield Remark(
            "broken",
            f"{_count(broken, 'line')} of {skipped.lines:,} are cut off or no JSON objects, and were passed over; the"
            " last line of a file that is being written may be one.",
        )


def _of_all(seen: tuple[SeenOf, ...], least: int) -> Iterator[Remark]:
    sessions = sum(each.sessions for each in seen)
    if sessions < least:
        yield Remark(
            "few-sessions", f"A routine must be in {least} sessions, and there are {sessions:,}: come back later."
        )
    firsts = [each.first_at for each in seen if each.first_at is not None]
    lasts = [each.last_at for each in seen if each.last_at is not None]
    days = (max(lasts) - min(firsts)).total_seconds() / _DAY_SECONDS if firsts and lasts else 0.0
    if days < LEAST_DAYS:
        yield Remark(
            "short-span",
            f"All of it was seen within {span_of(days)}: savings a month are 0 until a routine was seen for"
            f" {LEAST_DAYS:.0f} days.",
        )


def _why_no_outcome(seen: SeenOf) -> str:
    if seen.source == rollouts.SOURCE:
        return "Codex writes how commands end, and of other tools only what they answer."
    if seen.source == transcripts.SOURCE:
        return "Their results are missing: the sessions were cut off, or are at work."
    return "They began, and nothing later says how they ended: register PostToolUse and PostToolUseFailure."


def _why_no_cost(seen: SeenOf) -> str:
    if seen.source in _OF_FILES:
        return "Name the prices of your models: what is used is in the files, and what it costs is not."
    return "Hooks do not tell costs; transcripts do."


def _span(seen: SeenOf) -> str:
    if seen.first_at is None or seen.last_at is None:
        return ""
    days = (seen.last_at - seen.first_at).total_seconds() / _DAY_SECONDS
    return f", {seen.first_at:%Y-%m-%d} to {seen.last_at:%Y-%m-%d} ({span_of(days)})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
