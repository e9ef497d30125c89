"""What can go wrong, as its users meet it.

PatternSyncError
├── InvalidSettings          exit 2   a setting or a criterion is out of range, misspelt or contradictory
├── InvalidInput             exit 2   what a person said about a pattern cannot be kept: blank, too long
├── UnknownPattern           exit 1   the queue has no entry of this name
├── AlreadyDecided           exit 1   somebody else was faster, or decided otherwise before
├── DatabaseError (passing)
│   ├── DatabaseUnavailable  exit 3   cannot be reached, went away, is busy or read-only: waiting helps
│   │   ├── PoolerInTheWay           sessions are shared behind our back: LISTEN cannot work
│   │   └── TransactionConflict      a deadlock, a lock not had in time: try the same again
│   ├── AccessRefused        exit 3   wrong password, unknown database or role, no TLS: waiting does not help
│   └── StatementFailed      exit 1   the database refused what a statement writes (a poison row)
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


class PassingFault(PatternSyncError):
    """What a running service waits out: said once, tried again for ever."""


class DatabaseError(PassingFault):
    """The database did not do what was asked."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be used now, but may be later."""


class PoolerInTheWay(DatabaseUnavailable):
    """What this session had prepared or listened to is gone: a transaction-mode pooler gave it another server."""


class TransactionConflict(DatabaseUnavailable):
    """Two transactions were in each other's way and this one was given up; the same may work now."""


class AccessRefused(DatabaseError):
    """The server answered, and will answer the same again."""


class StatementFailed(DatabaseError):
    """The server refused what one statement writes."""


class SchemaError(PatternSyncError):
    """The schema in the database is not the one that this version works with."""


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
