"""Sessions as assistants leave them, with six routines planted among the ordinary work, some of them disturbed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from pattern_sync.domain.calls import Call, Outcome, Session

OK, FAILED = Outcome.OK, Outcome.FAILED
BEGIN = datetime(2026, 10, 1, 8, tzinfo=UTC)
Steps = tuple[tuple[str, Outcome], ...]

ROUTINES: dict[str, Steps] = {
    "repair a test": (
        ("Bash/pytest", FAILED), ("Read/src/.py", OK), ("Edit/src/.py", OK), ("Bash/pytest", OK),
    ),
    "commit": (
        ("Bash/git status", OK), ("Bash/git diff", OK), ("Bash/git add", OK), ("Bash/git commit", OK),
    ),
    "lint and format": (
        ("Bash/ruff check", FAILED), ("Bash/ruff format", OK), ("Bash/ruff check", OK),
    ),
    "release": (
        ("Edit/CHANGELOG.md", OK), ("Edit/pyproject.toml", OK), ("Bash/git commit", OK), ("Bash/git tag", OK),
        ("Bash/git push", OK),
    ),
    "add a dependency": (
        ("Edit/package.json", OK), ("Bash/npm install", OK), ("Bash/npm run build", OK), ("Bash/npm test", OK),
    ),
    "deploy": (
        ("Bash/docker build", OK), ("Bash/docker push", OK), ("Bash/kubectl apply", OK),
        ("Bash/kubectl rollout status", OK),
    ),
}  # fmt: skip
# What assistants do all day, and how often one thing comes after another.
_HABITS = {
    "Read/src/.py": ("Read/src/.py", "Edit/src/.py", "Edit/src/.py", "Grep", "Bash/grep"),
    "Edit/src/.py": ("Edit/src/.py", "Read/src/.py", "Bash/pytest", "Bash/pytest", "TodoWrite"),
    "Grep": ("Read/src/.py", "Read/src/.py", "Grep", "Read/.md"),
    "Bash/pytest": ("Read/src/.py", "Edit/tests/.py", "Bash/git status", "TodoWrite"),
    "Bash/git status": ("Bash/git diff", "Bash/git log", "Read/src/.py"),
    "TodoWrite": ("Read/src/.py", "Grep", "Bash/ls", "Edit/src/.py"),
}
_ANYTHING = (
    "Read/src/.py", "Read/src/.py", "Read/tests/.py", "Read/.md", "Read/package.json", "Edit/src/.py",
    "Edit/tests/.py", "Edit/.md", "Edit/CHANGELOG.md", "Write/.py", "Grep", "Grep", "Glob", "Bash/ls", "Bash/cat",
    "Bash/grep", "Bash/pytest", "Bash/git status", "Bash/git diff", "Bash/git log", "Bash/git add", "Bash/npm test",
    "Bash/npm install", "Bash/docker build", "Bash/ruff check", "Bash/python", "Bash/kubectl get", "TodoWrite",
    "Task/Explore", "WebFetch", "Bash/mypy", "Bash/curl",
)  # fmt: skip


@dataclass(frozen=True)
class Planting:
    """How much of everything.

    `noise` is the share of runs with a stray call in them, or without one of their steps; with `each_step`, it is the
    chance of that before every step but the first, which leaves a quarter of the longest routine's runs whole at 0.3.
    """

    sessions: int = 120
    routines_a_session: float = 4.0
    ordinary_between: int = 12
    noise: float = 0.0
    each_step: bool = False
    repeats: float = 0.2
    days: float = 28.0
    costs: bool = True


def planted(seed: int, planting: Planting = Planting()) -> Iterator[Session]:
    """Yield sessions, the same for the same seed."""
    random = Random(seed)
    for number in range(planting.sessions):
        yield _session(random, f"session-{seed}-{number:05}", number / planting.sessions, planting)


def _session(random: Random, session_id: str, age: float, planting: Planting) -> Session:
    steps: list[tuple[str, Outcome]] = []
    for _ in range(round(random.uniform(0.5, 1.5) * planting.routines_a_session)):
        steps += _ordinary(random, random.randrange(planting.ordinary_between * 2))
        steps += _disturbed(random, random.choice(list(ROUTINES.values())), planting)
    steps += _ordinary(random, random.randrange(planting.ordinary_between))
    at = BEGIN + timedelta(days=age * planting.days)
    calls = []
    for word, outcome in steps:
        at += timedelta(seconds=random.uniform(1, 60))
        calls.append(Call(word, outcome, at, round(random.uniform(0.01, 0.2), 4) if planting.costs else None))
    return Session(session_id, "transcripts", 2 * len(calls), at, tuple(calls))


def _ordinary(random: Random, length: int) -> Iterator[tuple[str, Outcome]]:
    word = random.choice(_ANYTHING)
    for _ in range(length):
        yield word, FAILED if word.startswith("Bash/") and random.random() < 0.2 else OK
        word = random.choice(_HABITS[word] if word in _HABITS and random.random() < 0.6 else _ANYTHING)


def _disturbed(random: Random, routine: Steps, planting: Planting) -> Iterator[tuple[str, Outcome]]:
    inner = range(1, len(routine))
    if planting.each_step:
        hit = {at for at in inner if random.random() < planting.noise}
    else:
        hit = {random.choice(inner)} if random.random() < planting.noise else set()
    for at, (word, outcome) in enumerate(routine):
        if at in hit:
            if random.random() < 0.5:
                continue
            yield random.choice(_ANYTHING), OK
        yield word, outcome
        while random.random() < planting.repeats and word.startswith(("Read", "Edit/src")):
            yield word, outcome


def found(shapes: Sequence[tuple[str, ...]]) -> set[str]:
    """Return which of the planted routines are among shapes."""
    told = {tuple(w if o is OK else f"{w}/failed" for w, o in steps): name for name, steps in ROUTINES.items()}
    return {told[shape] for shape in shapes if shape in told}
