"""Words say which program, file or tool a call was of, in names of the vocabulary, and nothing that anybody typed."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pattern_sync.detecting import Vocabulary, Words
from pattern_sync.detecting.seeing import OTHER

VOCABULARY = Vocabulary.shipped()
WORDS = Words(VOCABULARY)
NAMES = VOCABULARY.names() | {OTHER}
SECRET = "hunter2Zq9"
TOOLS = frozenset(VOCABULARY.tools.values()) | {OTHER, "mcp"}


def is_named(word: str) -> bool:
    """Return whether a word consists of names of the vocabulary only."""
    tool, _, target = word.partition("/")
    folder, slash, extension = target.partition("/")
    named = not target or target in NAMES or (bool(slash) and folder in VOCABULARY.folders and extension in NAMES)
    return tool in TOOLS and named


@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("pytest -q tests/unit", "pytest"),
        ("cd backend && pytest", "pytest"),
        ("cd 'my folder'; FOO=bar BAR='a b' python3.11 -m pytest -x", "pytest"),
        ("sudo -u ann timeout -s KILL 5 nice -n 3 make test", "make test"),
        ("/usr/bin/env -i A=b /opt/venv/bin/ruff check .", "ruff check"),
        ("npx -y prettier@3.1 --write .", "prettier"),
        ("uv run --with x pytest", "pytest"),
        ("poetry run mypy .", "mypy"),
        ("poetry install", "poetry install"),
        ("poetry run acme", "poetry run"),
        ("hatch run test", "hatch run"),
        ("uv run tools/acme.py", ".py"),
        ("test -f x && tox", "tox"),
        ("bundle exec rspec", "rspec"),
        ("git -C /srv/x --no-pager log -1", "git log"),
        ("git commit -m 'fix: it'", "git commit"),
        ("git add -A && git commit -m x && git push", "git commit"),
        ("git add -A", "git add"),
        ("cd /srv/app && git add -A", "git add"),
        ("export A=1; mkdir x", "mkdir"),
        ("cd /srv/app", "other"),
        ("npm run build", "npm run build"),
        ("npm run build:acme-corp", "npm run"),
        ("npm t", "npm test"),
        ("docker compose -f x.yml up -d", "docker compose up"),
        ("kubectl -n prod get pods", "kubectl get"),
        ("aws s3 cp a b", "aws s3 cp"),
        ("gh pr create --title x", "gh pr create"),
        ("pytest 2>&1 | tail -5", "pytest"),
        ("cat x | grep y", "cat"),
        ("echo go | tee x", "tee"),
        ("echo go", "echo"),
        ("bash -lc 'cd x && npm test'", "npm test"),
        ("bash scripts/build.sh", "bash .sh"),
        ("python -c 'import x'", "python"),
        ("python -m acme_tool", "python"),
        ("python tools/run.py --all", "python .py"),
        ("python manage.py migrate", "manage.py migrate"),
        ("./manage.py test", "manage.py test"),
        ("./gradlew clean", "gradlew clean"),
        ("./deploy-PROD-s3cr3t.sh", ".sh"),
        ("for f in *.py; do pytest $f; done", "pytest"),
        ("if [ -f x ]; then cargo test; fi", "cargo test"),
        ("while true; do sleep 1; curl localhost; done", "curl"),
        ("! grep -q x y", "grep"),
        ("(cd x; cargo build)", "cargo build"),
        ("cat <<'EOF' > x\ngit push\nEOF\npytest", "cat"),
        ("cd x <<EOF\ngit push\nEOF\npytest", "pytest"),
        ("# a comment\nmake lint", "make lint"),
        ("xargs -n 1 rm", "rm"),
        ("git.exe status", "git status"),
        ("'C:\\tools\\git.exe' status", "git status"),
        ("$(which pytest) -q", OTHER),
        ("hunter2", OTHER),
        ("export SECRET=x", OTHER),
        ("A=1", OTHER),
        ("", OTHER),
        ("docker exec -it db psql", "docker exec"),
    ],
)
def test_a_command_is_its_first_program_that_does_something(command: str, target: str) -> None:
    assert WORDS.of("Bash", {"command": command}) == f"Bash/{target}"


@pytest.mark.parametrize(
    ("tool", "given_to_it", "folder", "word"),
    [
        ("Read", {"file_path": "/srv/app/src/a/b.py"}, "/srv/app", "Read/src/.py"),
        ("Read", {"file_path": "C:\\app\\tests\\b.py"}, "C:\\app", "Read/tests/.py"),
        ("Read", {"file_path": "/srv/app/src/a/b.py"}, None, "Read/.py"),
        ("Read", {"file_path": "/etc/passwd"}, "/srv/app", "Read/other"),
        ("Edit", {"file_path": "/srv/app/acme/b.py"}, "/srv/app", "Edit/.py"),
        ("Edit", {"file_path": "src/key.s3cr3t"}, None, "Edit/other"),
        ("Write", {"file_path": "/srv/app/package.json"}, "/srv/app", "Write/package.json"),
        ("NotebookEdit", {"notebook_path": "x.ipynb"}, None, "NotebookEdit/.ipynb"),
        ("Grep", {"pattern": SECRET, "glob": "**/*.ts"}, None, "Grep/.ts"),
        ("Grep", {"pattern": SECRET, "type": "py"}, None, "Grep/.py"),
        ("Glob", {"pattern": SECRET}, None, "Glob"),
        ("Task", {"subagent_type": "Explore", "prompt": SECRET}, None, "Task/Explore"),
        ("Task", {"subagent_type": "acme-reviewer"}, None, "Task"),
        ("Skill", {"skill": "acme"}, None, "Skill"),
        ("mcp__playwright__browser_click", {}, None, "mcp/playwright browser_click"),
        ("mcp__plugin_context7_context7__query-docs", {}, None, "mcp/context7 query-docs"),
        ("mcp__playwright__acme", {}, None, "mcp/playwright"),
        ("mcp__acme__delete", {}, None, "mcp/other"),
        ("acme", {}, None, "other"),
        ("apply_patch", "*** Begin Patch\n*** Update File: src/a.rs\n+x", None, "Edit/src/.rs"),
        ("apply_patch", {"input": "*** Begin Patch\n*** Add File: a.go\n"}, None, "Edit/.go"),
        ("shell", {"command": ["bash", "-lc", "cargo test"]}, None, "Bash/cargo test"),
        ("shell", {"command": ["rg", "x"]}, None, "Bash/rg"),
        ("shell", {"command": ["apply_patch", "*** Begin Patch\n*** Add File: tests/a.py"]}, None, "Edit/tests/.py"),
        ("exec_command", {"cmd": "apply_patch <<'X'\n*** Begin Patch\n*** Add File: a.py\nX"}, None, "Edit/.py"),
        ("update_plan", {}, None, "TodoWrite"),
    ],
)
def test_a_call_is_its_tool_and_what_it_acts_on(tool: str, given_to_it: object, folder: str | None, word: str) -> None:
    assert WORDS.of(tool, given_to_it, folder) == word
    assert is_named(word)


SHELL = st.sampled_from(
    [
        "git", "commit", "-m", "mysql", "-p", "curl", "https://user:", "@host/", "export", "TOKEN=", "KEY", "=", "cd",
        "&&", "||", ";", "|", "&", "\n", "'", '"', "`", "$(", ")", "(", "${", "}", "<<EOF\n", "EOF", ">", "2>&1", "#",
        "\\", "sudo", "-u", "env", "timeout", "5", "npx", "uv", "run", "python", "-m", "-c", "bash", "-lc", "npm",
        "make", "./", "/", "~", ".sh", ".py", ".", "-", "--", "for", "in", "do", "done", "if", "then", "fi", "case",
        "docker", "compose", "exec", "ssh", "\0", "é", "\ud800", "\u202e", " ", "  ", "\t", SECRET, SECRET,
        f" {SECRET} ",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(SHELL, max_size=30).map("".join), st.lists(SHELL, max_size=30).map(" ".join))
ANYTHING = st.recursive(
    st.one_of(TEXTS, st.none(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["command", "cmd", "file_path", "path", "notebook_path", "glob", "type", "subagent_type", "input", "pattern"]
)
ASKED = st.one_of(ANYTHING, st.dictionaries(KEYS, ANYTHING))
CALLED = st.one_of(
    st.sampled_from(sorted(VOCABULARY.tools)),
    st.sampled_from(["mcp__", "mcp__github__", "__", "mcp__playwright"]).map(lambda begin: f"{begin}{SECRET}"),
    TEXTS,
    ANYTHING,
)


@settings(max_examples=300)
@given(CALLED, ASKED, st.one_of(st.none(), TEXTS))
@example("Bash", {"command": f"mysql -p{SECRET}"}, None)
@example("Bash", {"command": f"./deploy-{SECRET}.sh"}, None)
@example("Bash", {"command": f"x.{SECRET}"}, None)
@example("Bash", {"command": f"git {SECRET}"}, None)
@example("Bash", {"command": f"npm run {SECRET}"}, None)
@example("Edit", {"file_path": f"/{SECRET}/src/{SECRET}.{SECRET}"}, f"/{SECRET}")
def test_no_argument_gets_into_a_word(tool: object, asked: object, folder: str | None) -> None:
    word = WORDS.of(tool, asked, folder)
    assert SECRET not in word
    assert is_named(word), word


@settings(max_examples=300)
@given(TEXTS)
def test_no_command_whatever_its_quotes_fails_or_leaves_the_vocabulary(command: str) -> None:
    assert is_named(WORDS.of("Bash", {"command": command}))


@pytest.mark.parametrize(
    "command",
    [
        "x" * 100_000, "'" * 100_000, "$(" * 50_000, "<<a " * 25_000, "bash -c " * 10_000, "\\" * 100_000,
        "((" * 50_000,
        "sudo " * 20_000, "git add . && " * 10_000, "`" * 100_000, '"$(`' * 25_000, "${" * 50_000,
    ],
)  # fmt: skip
def test_a_long_command_takes_no_time(command: str) -> None:
    begun = time.process_time()
    assert is_named(WORDS.of("Bash", {"command": command}))
    assert time.process_time() - begun < 1


def test_a_name_in_the_vocabulary_is_short_and_plain() -> None:
    assert [name for name in NAMES if not re.fullmatch(r"[A-Za-z0-9@.:_+ -]{1,100}", name)] == []
