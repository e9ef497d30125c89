"""The reference detector on a database, and what it makes of an agent's report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.config import PREFIX, Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.detecting import DetectingGateway
from pattern_sync.database.rows.overview import to_schema_version
from pattern_sync.database.version import check_version
from pattern_sync.detecting import (
    Detector,
    HookEvents,
    HookReader,
    Library,
    Orchestration,
    Prices,
    Reading,
    Remark,
    ReportedEvents,
    Source,
    Terms,
    Transcripts,
    Vocabulary,
    Words,
    WrittenRoutine,
    remarks_on,
    transcripts_in,
)
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.routines import Findings

# Coding agents keep their transcripts there.
TRANSCRIPT_FOLDERS = (Path(".claude/projects"), Path(".codex/sessions"))
# Of a file that somebody writes by hand.
_LARGEST_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class DetectionTerms:
    """What to read, and what to leave out. Without transcripts, events of hooks in the database are read.

    `all_sequences` also counts what assistants do in any case; `again` reads what was read before.
    """

    transcripts: Sequence[Path] = ()
    all_sequences: bool = False
    again: bool = False
    keep_days: int = 180


@dataclass(frozen=True, slots=True)
class Detected:
    """What came of a run: `sessions` have changed; nothing was written in a dry run."""

    sessions: int
    remarks: tuple[Remark, ...]
    findings: Findings
    written: tuple[WrittenRoutine, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    """The detector on an open connection, and what it reads of files."""

    detector: Detector
    reading: Reading | None


class Detection:
    """Runs the detector, any number of times. Raises InvalidSettings."""

    def __init__(self, settings: Settings, terms: DetectionTerms) -> None:
        self._terms = terms
        self._words = Words(vocabulary_of(settings))
        self._prices = _prices_of(settings)
        orchestration = Orchestration.off() if terms.all_sequences else Orchestration.shipped()
        self._routine_terms = Terms(orchestration=orchestration)
        self._read_files: frozenset[tuple[Path, int, int]] | None = None

    def run(self, address: DatabaseAddress, *, dry_run: bool = False) -> Detected:
        """Read what is new, find routines in all that is kept, and write them; a dry run writes nothing.

        Raises DatabaseError, SchemaError.
        """
        files = _stamps(self._terms.transcripts)
        with self._at_work(address, dry_run=dry_run) as work:
            detected = self._found(work, work.detector.read(again=self._terms.again), writes=not dry_run)
        self._read_files = files
        return detected

    def look(self, address: DatabaseAddress, *, dry_run: bool = False) -> Detected | None:
        """Do the same if there is anything new since the run or look before; else return None."""
        files = _stamps(self._terms.transcripts)
        if self._terms.transcripts and files == self._read_files:
            return None
        with self._at_work(address, dry_run=dry_run) as work:
            sessions = work.detector.read()
            detected = self._found(work, sessions, writes=not dry_run) if sessions else None
        self._read_files = files
        return detected

    @contextmanager
    def _at_work(self, address: DatabaseAddress, *, dry_run: bool) -> Iterator[_Work]:
        with BlockingDatabase.connect(address) as database:
            check_version(to_schema_version(database.fetch("schema_version")))
            library = Library(self._words, self._prices)
            store = DetectingGateway(database, database.savepoint if dry_run else database.transaction)
            sources = self._sources(store, library)
            detector = Detector(store, sources, self._routine_terms, self._terms.keep_days)
            with database.transaction(discarded=True) if dry_run else nullcontext():
                yield _Work(detector, library.reading if self._terms.transcripts else None)

    def _found(self, work: _Work, sessions: int, *, writes: bool) -> Detected:
        findings = work.detector.find()
        written = work.detector.write(findings.routines) if writes else ()
        remarks = remarks_on(findings.seen, work.reading, self._routine_terms)
        return Detected(sessions, remarks, findings, tuple(written))

    def _sources(self, store: DetectingGateway, library: Library) -> list[Source]:
        if self._terms.transcripts:
            return [Transcripts(library, self._terms.transcripts)]
        return [HookEvents(store, HookReader(self._words)), ReportedEvents(store)]


def vocabulary_of(settings: Settings) -> Vocabulary:
    """Return the names that words may consist of. Raises InvalidSettings."""
    path = settings.detect_vocabulary
    shipped = Vocabulary.shipped()
    return shipped if path is None else shipped.extended(_read("DETECT_VOCABULARY", path), str(path))


def transcript_folders(home: Path) -> list[Path]:
    """Return the folders below a home in which coding agents have left transcripts."""
    folders = [home / each for each in TRANSCRIPT_FOLDERS]
    return [folder for folder in folders if folder.is_dir() and transcripts_in([folder])[0]]


def _stamps(paths: Sequence[Path]) -> frozenset[tuple[Path, int, int]]:
    """Return what tells whether a file has changed."""
    stamps = set()
    for each in transcripts_in(paths)[0]:
        with suppress(OSError):  # it was removed meanwhile
            status = each.stat()
            stamps.add((each, status.st_size, status.st_mtime_ns))
    return frozenset(stamps)


def _prices_of(settings: Settings) -> Prices:
    path = settings.detect_prices
    return Prices.none() if path is None else Prices.parse(_read("DETECT_PRICES", path), str(path))


def _read(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as fault:
        raise InvalidSettings(f"{PREFIX}{name}: {path} cannot be read: {fault.strerror}.") from None
    if len(content) > _LARGEST_FILE_BYTES:
        raise InvalidSettings(f"{PREFIX}{name}: {path} has more than {_LARGEST_FILE_BYTES:,} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidSettings(f"{PREFIX}{name}: {path} is not in UTF-8.") from None
