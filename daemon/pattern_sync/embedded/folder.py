"""The state folder: where all that belongs to one embedded server lies."""

import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError

HOST = "127.0.0.1"
# Not our own name: "$user" in the search_path would make our schema the place of whatever this role creates.
ROLE = "postgres"
# Below the ports that systems hand to outgoing connections: one of those could sit on ours at the next start.
_PORTS = range(20_000, 32_768)
_MOST_PATH_BYTES = 900  # PostgreSQL cuts paths at 1024 without a word, and its own names come on top
_SHARED, _PRIVATE = 0o755, 0o700


def default_data_dir() -> Path:
    """Name the state folder for when none is given: below /var/lib for root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/pattern-sync")
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        # By the XDG rules a relative value is as good as none.
        base = state if state.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise EmbeddedServerError("This user has no home folder: set HOME, or use --data-dir.") from error
    return base / "pattern-sync"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths inside one state folder, and the small files in it."""

    path: Path

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own folder, owned by the server's user."""
        return self.path / "postgres"

    @property
    def lock(self) -> Path:
        """The file whose lock makes its holder the server's owner."""
        return self.path / "lock"

    @property
    def pgpass(self) -> Path:
        """The role's password, in the form that drivers read as `passfile`."""
        return self.path / "pgpass"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.path / "postgres.log"

    @property
    def runtime(self) -> Path:
        """Copied programs, for a server's user that cannot reach the installed ones."""
        return self.path / "runtime"

    @property
    def pid_file(self) -> Path:
        """PostgreSQL's own note of who serves the data."""
        return self.pgdata / "postmaster.pid"

    def pid_file_lines(self) -> list[str]:
        """Read PostgreSQL's note; empty when there is none."""
        try:
            return [line.strip() for line in self.pid_file.read_text("utf-8", "replace").splitlines()]
        except FileNotFoundError:
            return []

    def create(self) -> None:
        """Make the folder where it is missing; the permissions of folders that exist stay as they are."""
        if len(os.fsencode(self.path)) > _MOST_PATH_BYTES:
            raise EmbeddedServerError(f"The path {self.path} is too long: at most {_MOST_PATH_BYTES} bytes.")
        for folder in (*reversed(self.path.parents), self.path):
            if not folder.exists():
                folder.mkdir()
                # Not mkdir's mode, which the umask cuts: as root another user has to come through.
                folder.chmod(_SHARED if os.geteuid() == 0 else _PRIVATE)
        if not self.path.is_dir():
            raise EmbeddedServerError(f"{self.path} is a file: name a folder with --data-dir.")

    def major(self) -> int | None:
        """Read which PostgreSQL made the data; None when there is none yet."""
        try:
            return int((self.pgdata / "PG_VERSION").read_text("ascii"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise EmbeddedServerError(f"{self.pgdata / 'PG_VERSION'} does not hold a version.") from error

    def port(self) -> int | None:
        """Read the port that the server keeps; None when none was chosen yet."""
        try:
            return int((self.path / "port").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def choose_port(self) -> int:
        """Pick a free port and remember it."""
        port = _free_port()
        self._write("port", f"{port}\n")
        return port

    def password(self) -> str:
        """Read the role's password, or make one; only before the data exists, which stores it too."""
        try:
            return self.pgpass.read_text("ascii").strip().rpartition(":")[2]
        except FileNotFoundError:
            password = secrets.token_urlsafe(32)
            self._write(self.pgpass.name, f"{HOST}:*:*:{ROLE}:{password}\n")
            return password

    def _write(self, name: str, text: str) -> None:
        """Replace a file at once, readable to us only: others look at it while we write."""
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(self.path / name)


def _free_port() -> int:
    for _ in range(100):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise EmbeddedServerError(f"No free port between {_PORTS.start} and {_PORTS.stop - 1} on {HOST}.")
