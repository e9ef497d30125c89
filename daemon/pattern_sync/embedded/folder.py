"""The state folder, which holds everything that belongs to one embedded server."""

import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError

HOST = "127.0.0.1"
# Not `pattern_sync`: through "$user" in the search_path, this role would create its objects in our schema.
ROLE = "postgres"
# Below the ephemeral ports: an outgoing connection could use our port at the next start.
_PORTS = range(20_000, 32_768)
_MOST_PATH_BYTES = 900  # PostgreSQL silently cuts paths at 1024, its own names included
_SHARED, _PRIVATE = 0o755, 0o700


def default_data_dir(system: Path = Path("/var/lib")) -> Path:
    """Return the default state folder: below /var/lib for root, else in the user's home. Raises EmbeddedServerError.

    Not /var/lib/pattern-sync, unless data lie there already: systemd takes that folder over for a unit with
    StateDirectory=pattern-sync, or fails to, once root has tried a command by hand.
    """
    if os.geteuid() == 0:
        services = StateFolder(system / "pattern-sync")
        return services.path if (services.pgdata / "PG_VERSION").exists() else system / "pattern-sync-embedded"
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        # The XDG rules ignore a relative value.
        base = state if state.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise EmbeddedServerError("This user has no home folder. Set HOME, or use --data-dir.") from error
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
        """The lock file: the process that holds its lock owns the server."""
        return self.path / "lock"

    @property
    def pgpass(self) -> Path:
        """The role's password, in the form that drivers read as `passfile`."""
        return self.path / "pgpass"

    @property
    def log(self) -> Path:
        """The server's output."""
        return self.path / "postgres.log"

    @property
    def runtime(self) -> Path:
        """Copies of PostgreSQL's programs, for a user that cannot reach the installed ones."""
        return self.path / "runtime"

    @property
    def pid_file(self) -> Path:
        """PostgreSQL's pid file, which names the server that uses the data."""
        return self.pgdata / "postmaster.pid"

    def pid_file_lines(self) -> list[str]:
        """Read the pid file; empty if there is none."""
        try:
            return [line.strip() for line in self.pid_file.read_text("utf-8", "replace").splitlines()]
        except FileNotFoundError:
            return []

    def create(self) -> None:
        """Create the folder and its missing parents; the permissions of existing folders stay as they are."""
        if len(os.fsencode(self.path)) > _MOST_PATH_BYTES:
            raise EmbeddedServerError(
                f"The path {self.path} is too long: at most {_MOST_PATH_BYTES} bytes are allowed."
            )
        for folder in (*reversed(self.path.parents), self.path):
            if not folder.exists():
                folder.mkdir()
                # Not mkdir's mode, which the umask restricts: the user that runs the server for root must get in.
                folder.chmod(_SHARED if os.geteuid() == 0 else _PRIVATE)
        if not self.path.is_dir():
            raise EmbeddedServerError(f"{self.path} is a file. Name a folder with --data-dir.")

    def major(self) -> int | None:
        """Return the major version of the data; None if there is no data yet."""
        try:
            return int((self.pgdata / "PG_VERSION").read_text("ascii"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise EmbeddedServerError(f"{self.pgdata / 'PG_VERSION'} does not hold a version.") from error

    def port(self) -> int | None:
        """Return the port that the server uses; None if none was chosen yet."""
        try:
            return int((self.path / "port").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def choose_port(self) -> int:
        """Choose a free port and store it."""
        port = _free_port()
        self._write("port", f"{port}\n")
        return port

    def password(self) -> str:
        """Return the role's password; create it if it is missing. Call this only before initdb, which stores it too."""
        try:
            return self.pgpass.read_text("ascii").strip().rpartition(":")[2]
        except FileNotFoundError:
            password = secrets.token_urlsafe(32)
            self._write(self.pgpass.name, f"{HOST}:*:*:{ROLE}:{password}\n")
            return password

    def _write(self, name: str, text: str) -> None:
        """Replace a file atomically, readable only to us: other processes may read it meanwhile."""
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(self.path / name)


def holds_server(path: Path) -> bool:
    """Return whether a server was created in a state folder; False if we may not look."""
    try:
        return StateFolder(path).major() is not None
    except OSError:
        return False


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
