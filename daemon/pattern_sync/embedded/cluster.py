"""Create the data folder, and connect to the server that runs on it."""

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
_CONNECT_SECONDS = 2  # libpq's minimum
_INITDB_SECONDS = 120.0  # usually 1; a slow memory card needs far more
_UNFINISHED = "initdb-"


def database_url(folder: StateFolder, port: int) -> str:
    """Build the URL, which names the password file and never holds the password."""
    passfile = quote(os.fsencode(folder.pgpass))
    return f"postgresql://{ROLE}@{HOST}:{port}/{DATABASE}?passfile={passfile}&sslmode=disable"


def create_cluster(folder: StateFolder, binaries: PostgresBinaries, account: Account, *, durable: bool) -> None:
    """Run initdb if there is no data yet; a failure leaves no partial data folder.

    Only the lock's holder may call this. Raises EmbeddedServerError with initdb's output.
    """
    for remains in folder.path.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(remains, ignore_errors=True)
    if folder.major() is not None:
        if not folder.pgpass.exists():
            raise EmbeddedServerError(
                f"{folder.pgpass} is missing, and without it nobody can connect to {folder.pgdata}. Restore"
                " the file from a backup, or move the folder away to start with an empty one."
            )
        return
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.path))
    try:
        _initdb(folder, unfinished, binaries, account, durable=durable)
        (unfinished / "data").rename(folder.pgdata)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _initdb(
    folder: StateFolder, unfinished: Path, binaries: PostgresBinaries, account: Account, *, durable: bool
) -> None:
    password = unfinished / "password"
    password.touch(0o600)
    password.write_text(folder.password() + "\n", "ascii")
    if account.switch:
        os.chown(password, account.uid, account.gid)
        os.chown(unfinished, account.uid, account.gid)
    command = [
        str(binaries.directory / "initdb"),
        f"--pgdata={unfinished / 'data'}",
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
            f"Cannot create a database cluster in {folder.path}; initdb printed:\n{_last_lines(done.stdout)}\n"
            "Fix that, use another --data-dir, or set PATTERN_SYNC_DATABASE_URL."
        )


def ensure_database(folder: StateFolder, port: int) -> None:
    """Create our database unless it exists.

    Raises psycopg.Error while the server does not accept connections yet.
    """
    with _connect(folder, port, _MAINTENANCE) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def connection_fault(folder: StateFolder, port: int) -> str | None:
    """Try to connect to our database; return the driver's message, None if it works."""
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


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-5:])
