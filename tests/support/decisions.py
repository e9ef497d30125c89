"""Runs something on decisions over either driver."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import PEOPLES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.facts import Emit
from pattern_sync.review import Decisions
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

Result = TypeVar("Result")


def _ignore(_: object) -> None:
    return


class Driver(Protocol):
    """Runs something on the decisions of a database."""

    def __call__(
        self, database: TestDatabase, use: Callable[[Decisions], Coroutine[Any, Any, Result]], emit: Emit = ...
    ) -> Result: ...


def over_asyncpg(
    database: TestDatabase, use: Callable[[Decisions], Coroutine[Any, Any, Result]], emit: Emit = _ignore
) -> Result:
    async def go() -> Result:
        async with Pool(Connector(DatabaseAddress.parse(database.daemon_url), load_statements())) as opened:
            return await use(Decisions(ReviewGateway(Lane(opened, PEOPLES_CONNECTIONS).fetch), emit))

    return run(go())


def over_psycopg(
    database: TestDatabase, use: Callable[[Decisions], Coroutine[Any, Any, Result]], emit: Emit = _ignore
) -> Result:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.daemon_url)) as blocking:
        return run_blocking(use(Decisions(ReviewGateway(BlockingSession(blocking).fetch), emit)))


DRIVERS: tuple[Driver, Driver] = (over_asyncpg, over_psycopg)
