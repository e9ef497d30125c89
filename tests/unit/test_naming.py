"""A routine is called by what it is for, what it is done with, and what it acts on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.detecting import Vocabulary
from pattern_sync.detecting.log import Steps
from pattern_sync.detecting.naming import LONGEST_SIGNATURE, names_of, plain_name
from pattern_sync.domain.calls import Outcome
from pattern_sync.domain.routines import step
from tests.support.planted import ROUTINES

OK, FAILED = Outcome.OK, Outcome.FAILED
VOCABULARY = Vocabulary.shipped()


def steps(*words: str) -> Steps:
    return tuple((word.removesuffix("!"), FAILED if word.endswith("!") else OK) for word in words)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        (ROUTINES["repair a test"], "fix:pytest:src/.py"),
        (ROUTINES["commit"], "git:git-commit:all"),
        (ROUTINES["lint and format"], "format:ruff-check:all"),
        (ROUTINES["release"], "git:git-push:pyproject.toml"),
        (ROUTINES["add a dependency"], "deps:npm-install:package.json"),
        (ROUTINES["deploy"], "deploy:kubectl-rollout-status:all"),
        (steps("Read/.py", "Bash/gh pr create", "Bash/git push"), "review:gh-pr-create:.py"),
        (steps("Edit/src/.py", "Bash/mkdocs build", "Bash/curl"), "docs:mkdocs-build:src/.py"),
        (steps("Edit/src/.py", "Bash/.sh", "Bash/ls"), "edit:edit:src/.py"),
        (steps("Grep/.py", "Bash/.sh", "Bash/ls"), "search:grep:all"),
        (steps("mcp/playwright browser_click", "Bash/.sh"), "mcp:mcp:all"),
        (steps("Bash/.sh", "Bash/ls", "Bash/tar"), "work:tar:all"),
        (steps("Bash/npm run db:migrate", "Bash/ls"), "work:npm-run-db-migrate:all"),
        (steps("Bash/pytest!", "Bash/pytest"), "test:pytest:all"),
        (steps("Edit/.go", "Bash/make lint", "Bash/ls"), "format:make-lint:.go"),
        (steps("Edit/.go", "Bash/make lint", "Bash/make test"), "test:make-test:.go"),
        (steps("Edit/.go", "Bash/make", "Bash/make lint"), "build:make:.go"),
        (steps("Edit/.py!", "Read/.py", "Edit/.py"), "edit:edit:.py"),
    ],
)
def test_a_shape_has_a_name(shape: Steps, name: str) -> None:
    assert plain_name(shape) == name


NAMES = st.sampled_from(sorted(VOCABULARY.names()))
TOOLS = st.sampled_from(sorted(set(VOCABULARY.tools.values())))
SHAPES = st.lists(
    st.tuples(st.one_of(TOOLS, st.builds("{}/{}".format, TOOLS, NAMES)), st.sampled_from(Outcome)),
    min_size=1,
    max_size=8,
).map(tuple)


@given(st.lists(SHAPES, max_size=8, unique=True))
def test_every_name_is_three_parts_in_small_letters_and_another_for_each_shape(shapes: list[Steps]) -> None:
    names = names_of(shapes, {})
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name) <= LONGEST_SIGNATURE
        assert name == name.lower()
        assert [bool(part) for part in name.split(":")] == [True, True, True]


@given(st.lists(SHAPES, max_size=8, unique=True), st.integers(0, 8))
def test_a_name_never_changes_hands_whatever_comes_later(shapes: list[Steps], first: int) -> None:
    told = [tuple(step(*each) for each in shape) for shape in shapes]
    before = dict(zip(told[:first], names_of(shapes[:first], {}), strict=True))
    later = dict(zip(told, names_of(shapes, {name: shape for shape, name in before.items()}), strict=True))
    assert before.items() <= later.items()
    assert len(set(later.values())) == len(later)


def test_two_shapes_whose_short_hash_is_the_same_get_a_longer_one() -> None:
    shape = steps("Bash/ls", "Bash/tar")
    plain = plain_name(shape)
    short = names_of([shape], {plain: ()})[0]
    longer = names_of([shape], {plain: (), short: ("another",)})[0]
    assert longer.startswith(short)
    assert len(longer) == len(short) + 1
