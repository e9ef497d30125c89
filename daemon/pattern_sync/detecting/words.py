"""Words for calls: a tool, and what it acts on, in names of the vocabulary and nothing else."""

import re
from collections.abc import Mapping, Sequence

from pattern_sync.detecting.programs import Programs
from pattern_sync.detecting.seeing import OTHER
from pattern_sync.detecting.vocabulary import Vocabulary

COMMAND = "Bash"
UNNAMED_COMMAND = f"{COMMAND}/{OTHER}"
_EDIT = "Edit"
_MCP = "mcp"
_BORDER = "__"
_LONGEST_TOOL = 200
_LONGEST_PATH = 4_096
_PATCHED = re.compile(r"\*\*\* (?:Add|Update|Delete) File: ([^\n\\]{1,4096})")
_PATCH_LOOK = 4_096
# Codex's newer models write a script that calls the tools.
_SCRIPT = "exec"
_CALLED = re.compile(r"\btools\.(\w{1,100})\(")
_COMMAND_IN_SCRIPT = re.compile(r"""["']?cmd["']?\s*:\s*(["'`])((?:\\.|(?!\1).)*)""", re.DOTALL)
_FILE_KEYS = ("file_path", "path", "notebook_path", "filePath", "file", "target_file")
_OF_FILES = frozenset({"Read", "Edit", "MultiEdit", "Write", "NotebookEdit", "NotebookRead"})
_SHELLS = ("bash", "sh", "zsh")


class Words:
    """Makes words of calls. It never fails, whatever the tool was given."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._programs = Programs(vocabulary)

    def of(self, tool: object, given: object, folder: str | None = None) -> str:
        """Return the word for a call: its tool, what the tool was given, and the folder in which it works."""
        if tool == _SCRIPT and isinstance(given, str):
            return self._script(given[:_PATCH_LOOK], folder)
        name, values = self.tool(tool), given if isinstance(given, Mapping) else {}
        if name == COMMAND:
            return self._shell(values or {"command": given}, folder)
        if name in _OF_FILES:
            path = _path(values) or (_patched(given) if name == _EDIT else None)
            return f"{name}/{self._file(path, folder)}" if path else name
        if name == "Grep":
            return self._grep(values)
        agent = values.get("subagent_type") if name == "Task" else None
        return f"{name}/{agent}" if isinstance(agent, str) and agent in self._vocabulary.agents else name

    def tool(self, tool: object) -> str:
        """Return the name of a tool; of an MCP server's, the server and the tool."""
        if not isinstance(tool, str) or len(tool) > _LONGEST_TOOL:
            return OTHER
        if (name := self._vocabulary.tools.get(tool)) is not None:
            return name
        return self._server(tool) if _BORDER in tool else OTHER

    def _server(self, tool: str) -> str:
        server, _, called = tool.removeprefix(f"{_MCP}{_BORDER}").partition(_BORDER)
        spelled = server.lower()
        # A plugin's server is called `plugin_NAME_NAME`.
        for each in (spelled, spelled.replace("_", "-"), spelled.rpartition("_")[2]):
            if each in self._vocabulary.servers:
                return f"{_MCP}/{each} {called}" if called in self._vocabulary.servers[each] else f"{_MCP}/{each}"
        return f"{_MCP}/{OTHER}"

    def _shell(self, values: Mapping[str, object], folder: str | None) -> str:
        command = values.get("command", values.get("cmd"))
        if isinstance(command, Sequence) and not isinstance(command, str | bytes):
            listed = [each for each in command if isinstance(each, str)]
            if not listed:
                return UNNAMED_COMMAND
            if listed[0].rpartition("/")[2] not in _SHELLS:
                return self._patch(" ".join(listed), folder) or f"{COMMAND}/{self._programs.of_words(listed)}"
            command = listed[-1]
        if not isinstance(command, str):
            return UNNAMED_COMMAND
        return self._patch(command, folder) or f"{COMMAND}/{self._programs.of_text(command) or OTHER}"

    def _script(self, script: str, folder: str | None) -> str:
        """Return the word for the first call in a script."""
        called = _CALLED.search(script)
        if called is None:
            return OTHER
        command = _COMMAND_IN_SCRIPT.search(script, called.end())
        if self.tool(called[1]) == COMMAND:
            return self.of(COMMAND, {"command": re.sub(r"\\(.)", r"\1", command[2])} if command else {}, folder)
        return self.of(called[1], script, folder)

    def _patch(self, command: str, folder: str | None) -> str | None:
        """Return the word for a patch that is applied by a command of that name."""
        if not command[:_PATCH_LOOK].lstrip().startswith(("apply_patch", "applypatch")):
            return None
        path = _patched(command)
        return f"{_EDIT}/{self._file(path, folder)}" if path else _EDIT

    def _grep(self, values: Mapping[str, object]) -> str:
        kind, pattern = values.get("type"), values.get("glob")
        for text in (kind, pattern):
            extension = text[-_LONGEST_TOOL:].rpartition(".")[2].lower() if isinstance(text, str) else None
            if extension in self._vocabulary.extensions:
                return f"Grep/.{extension}"
        return "Grep"

    def _file(self, path: str, folder: str | None) -> str:
        """Return a file's name if it is one that means the same everywhere, else its top folder and extension."""
        parts = [part for part in _relative(path, folder).split("/") if part not in {"", "."}]
        name = parts[-1] if parts else ""
        if name in self._vocabulary.file_names:
            return name
        dotted = name.rpartition(".")
        extension = dotted[2].lower()
        if not dotted[1] or extension not in self._vocabulary.extensions:
            return OTHER
        top = parts[0] if len(parts) > 1 and parts[0] in self._vocabulary.folders else None
        return f"{top}/.{extension}" if top and not _is_absolute(_relative(path, folder)) else f".{extension}"


def _path(values: Mapping[str, object]) -> str | None:
    for key in _FILE_KEYS:
        if isinstance(path := values.get(key), str) and path:
            return path[-_LONGEST_PATH:]
    return None


def _patched(given: object) -> str | None:
    """Return the first file of a patch."""
    text = (
        next((each for each in given.values() if isinstance(each, str)), None) if isinstance(given, Mapping) else given
    )
    found = _PATCHED.search(text[:_PATCH_LOOK]) if isinstance(text, str) else None
    return found[1].strip() if found else None


def _relative(path: str, folder: str | None) -> str:
    path = path.replace("\\", "/")
    base = folder.replace("\\", "/").rstrip("/") + "/" if folder else None
    return path.removeprefix(base) if base else path


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "~")) or path[1:3] == ":/"
