"""Make the data folder, and talk to the server that runs on it."""

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded.account import Account
from pattern_sync.embedded.binaries import PostgresBinaries
from pattern_sync.embedded.folder import HOST, ROLE, StateFolder

DATABASE = "pattern_sync"
_MAINTENANCE = "postgres"
_CONNECT_SECONDS = 2  # the least that libpq takes
_INITDB_SECONDS = 120.0  # 1 is usual, a slow card reader needs many
_UNFINISHED = "initdb-"


def database_url(folder: StateFolder, port: int) -> str:
    """Build the URL, which names the password's file and never holds the password."""
    passfile = quote(os.fsencode(folder.pgpass))
    return f"postgresql://{ROLE}@{HOST}:{port}/{DATABASE}?passfile={passfile}&sslmode=disable"


def create_cluster(folder: StateFolder, binaries: PostgresBinaries, account: Account, *, durable: bool) -> None:
    """Run initdb where there is no data yet; nothing half-made is left in the data's place.

    To be called by the lock's holder only. Raises EmbeddedServerError with what initdb says.
    """
    for remains in folder.path.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(remains, ignore_errors=True)
    if folder.major() is not None:
        if not folder.pgpass.exists():
            raise EmbeddedServerError(
                f"{folder.pgpass} is missing, and without it nobody gets into {folder.pgdata}. Bring the"
                " file back from a backup, or move the folder away to begin with an empty one."
            )
        return
    workshop = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.path))
    try:
        _initdb(folder, workshop, binaries, account, durable=durable)
        (workshop / "data").rename(folder.pgdata)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _initdb(
    folder: StateFolder, workshop: Path, binaries: PostgresBinaries, account: Account, *, durable: bool
) -> None:
    password = workshop / "password"
    password.touch(0o600)
    password.write_text(folder.password() + "\n", "ascii")
    if account.switch:
        os.chown(password, account.uid, account.gid)
        os.chown(workshop, account.uid, account.gid)
    command = [
        str(binaries.directory / "initdb"),
        f"--pgdata={workshop / 'data'}",
        f"--username={ROLE}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        *([] if durable else ["--no-sync"]),
    ]
    done = account.run(command, deadline_seconds=_INITDB_SECONDS)
    if done.returncode:
        raise EmbeddedServerError(
            f"Cannot make a database cluster in {folder.path}; initdb says:\n{_end(done.stdout)}\n"
            "Mend that, use another --data-dir, or set PATTERN_SYNC_DATABASE_URL."
        )


def ensure_database(folder: StateFolder, port: int) -> None:
    """Create our database in a server that accepts connections, unless it is there.

    Raises psycopg.Error while it does not accept them yet.
    """
    with _connect(folder, port, _MAINTENANCE) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def refusal(folder: StateFolder, port: int) -> str | None:
    """Try to connect to our database; None when that works, else what the driver says."""
    try:
        _connect(folder, port, DATABASE).close()
    except psycopg.Error as error:
        return str(error).strip()
    return None


def _connect(folder: StateFolder, port: int, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=HOST,
        port=port,
        user=ROLE,
        dbname=database,
        passfile=str(folder.pgpass),
        connect_timeout=_CONNECT_SECONDS,
        sslmode="disable",
        autocommit=True,
    )


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-5:])
