"""Every line of the log: its stable name, its level and its sentence. `make docs` lists them for operators."""

import logging
from enum import Enum

_DEBUG, _INFO, _WARNING, _ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR


class Line(Enum):
    """In the order of a daemon's life. The name is for machines and stays; the sentence may become a better one."""

    def __init__(self, event: str, level: int, sentence: str) -> None:
        self.event = event
        self.level = level
        self.sentence = sentence

    DAEMON_STARTING = "daemon.starting", _INFO, "The daemon starts."
    SETTINGS_DOUBTFUL = "settings.doubtful", _WARNING, "A setting is probably not what was meant."
    HTTP_SERVING = "http.serving", _INFO, "The API and the review page are served."
    HTTP_WAITING = "http.waiting", _WARNING, "The API and the review page cannot be served; trying again."
    HTTP_CROWDED = "http.crowded", _WARNING, "There are too many HTTP connections; silent ones are closed."
    HTTP_OUT_OF_FILES = "http.out_of_files", _WARNING, "No file descriptor is left for another HTTP connection."
    LIVE_REFUSED = "live.refused", _WARNING, "Pages look for changes by themselves: their live connection is refused."
    TOKEN_WRONG = "token.wrong", _WARNING, "Requests came with wrong tokens; answers to many of them are slowed."
    REQUEST_REFUSED = "request.refused", _WARNING, "The application or the database refused what a person sent."
    REQUEST_UNAVAILABLE = "request.unavailable", _DEBUG, "The database was unavailable for a request."
    REQUEST_UNUSABLE = "request.unusable", _WARNING, "The database cannot be used as it is; a request failed."
    DATABASE_REACHED = "database.reached", _INFO, "A database server accepts our connections."
    DATABASE_LOST = "database.lost", _WARNING, "The database is unavailable; trying again."
    DATABASE_BACK = "database.back", _INFO, "The database is available again."
    SCHEMA_NEWER = "schema.newer", _WARNING, "The schema is newer than this daemon, which can work with it."
    FILTER_PUBLISHED = "filter.published", _INFO, "This filter is in force for the triggers and all daemons."
    FILTER_FOREIGN = "filter.foreign", _WARNING, "Another filter than this daemon's own is in force."
    FILTER_OWN = "filter.own", _INFO, "This daemon's own filter is in force again."
    INDEX_MISSING = "index.missing", _WARNING, "An index would help."
    LISTENER_LISTENING = "listener.listening", _INFO, "Notifications arrive."
    LISTENER_LOST = "listener.lost", _WARNING, "Notifications do not arrive; polling instead."
    NOTIFICATION_IGNORED = "notification.ignored", _WARNING, "A notification is not from Pattern Sync; ignored."
    DAEMON_READY = "daemon.ready", _INFO, "The first catch-up is done."
    DAEMON_WAITING = "daemon.waiting", _WARNING, "The daemon runs, and queues patterns once the database is back."
    TRIGGERS_SILENT = "triggers.silent", _WARNING, "Triggers do not notify of every change; polling instead."
    TRIGGERS_FAULTY = "triggers.faulty", _WARNING, "Triggers are not as they should be."
    TRIGGERS_SOUND = "triggers.sound", _INFO, "Triggers notify of every change again."
    TRIGGERS_UNSEEN = "triggers.unseen", _WARNING, "Triggers cannot be checked; polling instead."
    TRIGGERS_SEEN = "triggers.seen", _INFO, "Triggers can be checked again."
    TRIGGERS_MENDED = "triggers.mended", _INFO, "Triggers were mended."
    TRIGGERS_NOT_MENDED = "triggers.not_mended", _WARNING, "Triggers could not be mended; trying again."
    NOTIFICATION_QUEUE_FULL = (
        "notification_queue.full",
        _WARNING,
        "The server's notification queue is too full to notify; polling instead.",
    )
    NOTIFICATION_QUEUE_DRAINED = "notification_queue.drained", _INFO, "The server's notification queue has room again."
    TABLE_REBUILT = (
        "table.rebuilt",
        _INFO,
        "The table of the patterns has new storage, partitions or triggers; scanning it.",
    )
    PATTERN_QUEUED = "pattern.queued", _INFO, "Patterns were queued."
    PATTERN_FAILED = "pattern.failed", _WARNING, "Patterns could not be queued; trying again later."
    PATTERN_RECOVERED = "pattern.recovered", _WARNING, "A sweep queued patterns without a notification."
    QUARANTINE_FILLED = "quarantine.filled", _WARNING, "Patterns that qualify are refused by the application."
    QUARANTINE_RELEASED = "quarantine.released", _INFO, "Patterns were queued that had been refused before."
    QUARANTINE_EMPTIED = "quarantine.emptied", _INFO, "No pattern is refused any more."
    SCAN_FINISHED = "scan.finished", _INFO, "A scan of all patterns is done."
    SCAN_FAILED = "scan.failed", _WARNING, "A scan of all patterns is done; some could not be queued."
    ENTRIES_REFRESHED = "entries.refreshed", _DEBUG, "Pending entries show newer figures."
    PAGES_STALE = "pages.stale", _WARNING, "Review pages are not kept up to date; trying again."
    PAGES_CURRENT = "pages.current", _INFO, "Review pages are kept up to date again."
    MESSAGE_SENT = "message.sent", _INFO, "People were sent a message."
    MESSAGE_FAILED = "message.failed", _WARNING, "A message to people could not be sent; trying again."
    MESSAGE_DEAD = "message.dead", _ERROR, "A message to people could not be sent, and is given up."
    TELLING_STOPPED = "telling.stopped", _WARNING, "Messages to people cannot be prepared; trying again."
    TELLING_RESUMED = "telling.resumed", _INFO, "Messages to people are prepared again."
    CONFIDENCE_ADJUSTED = "confidence.adjusted", _INFO, "The confidence of pending entries was set from their results."
    CONFIDENCE_REFUSED = "confidence.refused", _WARNING, "The application refuses a confidence that results speak for."
    RESULTS_STOPPED = "results.stopped", _WARNING, "Results are not kept up to date; trying again."
    RESULTS_RESUMED = "results.resumed", _INFO, "Results are kept up to date again."
    RULE_DECIDED = "rule.decided", _INFO, "A rule has decided patterns; its batch can be undone."
    RULE_PAUSED = "rule.paused", _WARNING, "A rule has paused itself; it decides nothing until a person has looked."
    RULING_STOPPED = "ruling.stopped", _WARNING, "Rules can neither mark nor decide; trying again."
    RULING_RESUMED = "ruling.resumed", _INFO, "Rules mark and decide again."
    MODEL_LEARNED = "model.learned", _INFO, "What people approve was learned anew from their decisions."
    MODEL_IGNORED = "model.ignored", _WARNING, "What was learned is not used; it is learned anew if possible."
    LIKELIHOODS_SHOWN = "likelihoods.shown", _INFO, "Entries show how likely they are approved."
    LIKELIHOODS_HIDDEN = "likelihoods.hidden", _INFO, "Entries do not show any more how likely they are approved."
    LEARNING_STOPPED = "learning.stopped", _WARNING, "Nothing can be learned from decisions; trying again."
    LEARNING_RESUMED = "learning.resumed", _INFO, "Decisions are learned from again."
    SETTINGS_RELOADED = "settings.reloaded", _INFO, "The filter was read anew."
    SETTINGS_REFUSED = "settings.refused", _ERROR, "The settings cannot be used; the filter stays as it was."
    SETTINGS_DEFERRED = "settings.deferred", _WARNING, "This filter is put in force when the database is back."
    SETTINGS_UNREAD = "settings.unread", _WARNING, "A reload puts only the filter in force."
    SERVICE_HANGING = "service.hanging", _ERROR, "A service makes no progress; the watchdog is not fed."
    EMBEDDED_RESTARTED = "embedded.restarted", _WARNING, "The embedded server had ended and was started again."
    MANAGER_UNREACHABLE = (
        "manager.unreachable",
        _WARNING,
        "The service manager does not take our messages; trying again.",
    )
    OBSERVER_FAILED = "observer.failed", _ERROR, "This is a bug in Pattern Sync: a log line or a figure is missing."
    LOG_LOST = "log.lost", _WARNING, "Lines of the log were lost, as nobody took them."
    DAEMON_STOPPING = "daemon.stopping", _INFO, "The daemon stops."
    DAEMON_UNFINISHED = "daemon.unfinished", _WARNING, "Some patterns are left to the next start."
    DAEMON_STOPPED = "daemon.stopped", _INFO, "The daemon has stopped."
    DAEMON_FAILED = "daemon.failed", logging.CRITICAL, "The daemon cannot go on, and ends."
    CHECK_FAILED = "check.failed", _ERROR, "This is a bug in Pattern Sync: a check of the doctor could not look."
    PROCESS_CRASHED = "process.crashed", logging.CRITICAL, "This is a bug in Pattern Sync."
