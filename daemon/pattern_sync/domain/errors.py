"""The expected faults, with the exit code that each gives a command.

PatternSyncError
├── InvalidSettings          exit 2   a setting is out of range, misspelt or contradictory
│   └── InvalidFilter                 the same of a criterion, wherever it was given
├── InvalidInput             exit 2   a decision or a comment cannot be stored: blank, too long
├── UnknownPattern           exit 1   the queue has no entry with this signature
├── AlreadyDecided           exit 1   the entry's status is not the one that the decision replaces
├── DecisionRefused          exit 1   the application or the database refused a decision or a comment
├── UnknownMessage           exit 1   there is no message to people with this number that can be sent once more
├── NobodyToTell             exit 1   the settings name nobody who could be sent a message
├── UnknownRule              exit 1   there is no rule with this name
├── RuleRefused              exit 1   a rule cannot do that: it has not proved itself, or the settings forbid rules
├── CannotQueue              exit 1   a pattern that a person wants in the queue cannot be put there
├── NotReadyYet              exit 1   a long queue is being prepared for searches; trying again helps
├── NothingLearned           exit 1   an order by what people are likely to approve, which nobody can tell yet
├── ModelUnreadable          exit 1   the learned model was edited, or is a later version's: it is not used
├── DatabaseError (passing)
│   ├── DatabaseUnavailable  exit 3   not reachable, lost, busy or read-only: waiting helps
│   │   ├── OutcomeUnknown            it was lost after a statement was sent, which may have been executed
│   │   ├── NoAnswer                 a deadline passed
│   │   ├── StandbyServer            a standby, or a primary that was demoted
│   │   ├── PoolerInTheWay           a pooler shares sessions between clients: LISTEN cannot work
│   │   └── TransactionConflict      a deadlock or a lock timeout: a retry helps
│   │       └── PlanOutdated         a table was altered: a retry on another session helps
│   ├── AccessRefused        exit 3   wrong password, unknown database or role, no TLS: waiting does not help
│   │   └── RightsMissing             the role lacks rights; the text lists the GRANTs
│   └── StatementFailed      exit 1   the server refused one statement, for example because of a bad row
├── SchemaError              exit 4
│   ├── SchemaMissing (passing)
│   ├── SchemaOutdated
│   ├── SchemaTooNew
│   └── UnfitApplication     an adopted table lacks a column or a key that we need
└── EmbeddedServerError      exit 3
    └── EmbeddedServerMoved           it runs on another port: a new daemon finds it there

A passing fault ends a command. It ends the daemon's start only if waiting would not help. Running services wait out
every passing fault, whatever the server reports: somebody may rename a table, or revoke a right, and then undo it.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pattern_sync.domain.entry import QueueEntry


class PatternSyncError(Exception):
    """Base of every expected fault; its text is for users and holds no secret."""


class InvalidSettings(PatternSyncError):
    """A setting or criterion has an unusable value; the text names it, its bound and the way out."""


class InvalidFilter(InvalidSettings, ValueError):
    """A criterion has an unusable value; also a ValueError, so that request validation reports it."""

    def __init__(self, complaint: str, *names: str) -> None:
        super().__init__(f"{' and '.join(names)} {complaint}")
        self._complaint = complaint
        self._names = names

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the text with each criterion named as it was given: as an option or a variable, say."""
        return f"{' and '.join(map(spell, self._names))} {self._complaint}"


class InvalidInput(PatternSyncError, ValueError):
    """A decision or a comment cannot be stored; also a ValueError, so that request validation reports it."""


class UnknownPattern(PatternSyncError):
    """The queue has no entry with this signature."""


class UnknownBatch(PatternSyncError):
    """There is no such batch of decisions, or it is forgotten."""


class NotUndoable(PatternSyncError):
    """The batch is too old to be undone, or nothing of it is left to undo; nothing was written."""


class NotRecordable(PatternSyncError):
    """A run cannot be recorded so: its time has not come."""


class NotSnoozable(PatternSyncError):
    """The time has passed or is too far away, or there are no savings that could double; nothing was written."""


class AlreadyDecided(PatternSyncError):
    """The status of `entry` is not the one that the decision replaces; nothing was written."""

    def __init__(self, message: str, entry: "QueueEntry") -> None:
        super().__init__(message)
        self.entry = entry


class NotReadyYet(PatternSyncError):
    """The traits of a queue are just being written, so that it cannot be searched or sorted."""


class NothingLearned(PatternSyncError):
    """An order by likelihood was asked for while none is shown; the text says why."""


class ModelUnreadable(PatternSyncError):
    """A model cannot be used: it was edited by hand, is damaged, or `is_later` than this version, as the text says."""

    def __init__(self, message: str, *, is_later: bool = False) -> None:
        super().__init__(message)
        self.is_later = is_later


class UnknownMessage(PatternSyncError):
    """There is no message to people with this number that could be sent once more."""


class NobodyToTell(PatternSyncError):
    """A test cannot be sent, as the settings name no destination."""


class UnknownRule(PatternSyncError):
    """There is no rule with this name."""


class RuleRefused(PatternSyncError):
    """A rule cannot be switched or changed like that, or nothing of it is there to be taken back or objected to."""


class CannotQueue(PatternSyncError):
    """A pattern that a person wants in the queue is there already, or must not be there; nothing was written."""


class DecisionRefused(PatternSyncError):
    """The application or the database refused a decision or a comment; nothing was written.

    `sentence` leaves out the server's message, `words`, which may hold anything; `words` is None if there is none.
    """

    def __init__(self, sentence: str, words: str | None = None) -> None:
        super().__init__(sentence if words is None else f"{sentence} The database reports: {words}")
        self.sentence = sentence
        self.words = words


class PassingFault(PatternSyncError):
    """A fault that a running service waits out: it logs it once and retries for ever."""


class DatabaseError(PassingFault):
    """The database did not do what was asked; `sqlstate` is the server's code, None if it sent none."""

    def __init__(self, message: str = "", *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseUnavailable(DatabaseError):
    """The database cannot be used now, but may be later."""


class OutcomeUnknown(DatabaseUnavailable):
    """The database did not answer a statement that was sent: it may have been executed, or still be."""


class NoAnswer(DatabaseUnavailable):
    """The server did not answer in time: a lock, an overload or a dead link."""


class StandbyServer(DatabaseUnavailable):
    """The server is a standby, which accepts no writes."""


class PoolerInTheWay(DatabaseUnavailable):
    """The session lost its prepared statements or LISTEN: a transaction-mode pooler gave it another server session."""


class TransactionConflict(DatabaseUnavailable):
    """The transaction conflicted with another and was rolled back; a retry may succeed."""


class PlanOutdated(TransactionConflict):
    """A table was altered, so the session's prepared statements no longer fit; a retry on another session works."""


class AccessRefused(DatabaseError):
    """The server refused access; waiting does not help."""


class RightsMissing(AccessRefused):
    """The role lacks rights, which the statements in `grants` give."""

    def __init__(self, grants: Iterable[str]) -> None:
        super().__init__(f"This role lacks rights. As the owner of the tables: {' '.join(grants)}")


class StatementFailed(DatabaseError):
    """The server refused one statement; the connection stays usable, and other statements may succeed."""


class SchemaError(PatternSyncError):
    """The schema in the database does not fit this version; `sqlstate` is as in DatabaseError."""

    def __init__(self, message: str = "", *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class SchemaMissing(SchemaError, PassingFault):
    """Pattern Sync is not installed in this database."""


class SchemaOutdated(SchemaError):
    """The database holds an older schema."""


class SchemaTooNew(SchemaError):
    """The database holds a newer schema, with which this version cannot work."""


class UnfitApplication(SchemaError):
    """An adopted table lacks a column or a key that Pattern Sync needs."""


class EmbeddedServerError(PatternSyncError):
    """The embedded PostgreSQL cannot be found, started or shared."""


class EmbeddedServerMoved(EmbeddedServerError):
    """The embedded server had to move to another port, which a running daemon cannot follow."""
