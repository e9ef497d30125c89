"""What can go wrong, as its users meet it.

PatternSyncError
├── InvalidSettings          exit 2   a setting or a criterion is out of range, misspelt or contradictory
├── InvalidInput             exit 2   what a person said about a pattern cannot be kept: blank, too long
├── UnknownPattern           exit 1   the queue has no entry of this name
├── AlreadyDecided           exit 1   somebody else was faster, or decided otherwise before
├── DecisionRefused          exit 1   the application's own trigger, rule or policy kept out what a person said
├── DatabaseError (passing)
│   ├── DatabaseUnavailable  exit 3   cannot be reached, went away, is busy or read-only: waiting helps
│   │   ├── PoolerInTheWay           sessions are shared behind our back: LISTEN cannot work
│   │   └── TransactionConflict      a deadlock, a lock not had in time: try the same again
│   │       └── PlanOutdated         a table was altered under a session: the same works on another one
│   ├── AccessRefused        exit 3   wrong password, unknown database or role, no TLS: waiting does not help
│   └── StatementFailed      exit 1   the server refused one statement, whatever for (a poison row, say)
├── SchemaError              exit 4
│   ├── SchemaMissing (passing)
│   ├── SchemaOutdated
│   ├── SchemaTooNew
│   └── UnfitApplication     an adopted table lacks what we need
└── EmbeddedServerError      exit 3

What is passing ends a command, and the start of the daemon where waiting would not help. Once services run they wait it
out, whatever the server says: a table may be renamed for a moment, a right be taken away and given back.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pattern_sync.domain.entry import QueueEntry


class PatternSyncError(Exception):
    """Base of every expected fault; its text is for the user and holds no secret."""


class InvalidSettings(PatternSyncError):
    """A value that cannot be used; the text names it, its bound and the way out."""


class InvalidInput(PatternSyncError, ValueError):
    """What a person said about a pattern cannot be kept; a ValueError, so that validators take it as their own."""


class UnknownPattern(PatternSyncError):
    """The queue has no entry of this name."""


class AlreadyDecided(PatternSyncError):
    """The status of `entry` is not the one that the decision meant to replace; nothing was written."""

    def __init__(self, message: str, entry: "QueueEntry") -> None:
        super().__init__(message)
        self.entry = entry


class DecisionRefused(PatternSyncError):
    """A decision or a comment was not kept, and nothing was written.

    `sentence` says so without the server's own `words`, which may hold anything and are None where it had none.
    """

    def __init__(self, sentence: str, words: str | None = None) -> None:
        super().__init__(sentence if words is None else f"{sentence} The database says: {words}")
        self.sentence = sentence
        self.words = words


class PassingFault(PatternSyncError):
    """What a running service waits out: said once, tried again for ever."""


class DatabaseError(PassingFault):
    """The database did not do what was asked; `sqlstate` is what the server called it, if it was the server."""

    def __init__(self, message: str = "", *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseUnavailable(DatabaseError):
    """The database cannot be used now, but may be later."""


class PoolerInTheWay(DatabaseUnavailable):
    """What this session had prepared or listened to is gone: a transaction-mode pooler gave it another server."""


class TransactionConflict(DatabaseUnavailable):
    """Two transactions were in each other's way and this one was given up; the same may work now."""


class PlanOutdated(TransactionConflict):
    """A table was altered meanwhile: what the session had prepared no longer fits; the same works on another one."""


class AccessRefused(DatabaseError):
    """The server answered, and will answer the same again."""


class StatementFailed(DatabaseError):
    """The server refused one statement; the connection lives, and others may go through."""


class SchemaError(PatternSyncError):
    """The schema in the database is not the one that this version works with; `sqlstate` as of a DatabaseError."""

    def __init__(self, message: str = "", *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class SchemaMissing(SchemaError, PassingFault):
    """Pattern Sync is not installed in this database."""


class SchemaOutdated(SchemaError):
    """The database holds an older schema."""


class SchemaTooNew(SchemaError):
    """The database holds a newer schema."""


class UnfitApplication(SchemaError):
    """An adopted table, column or key that is needed is missing."""


class EmbeddedServerError(PatternSyncError):
    """The embedded PostgreSQL cannot be found, started or shared."""
