"""The settings: what they are, where they come from, and what is refused."""

from pattern_sync.config.hints import exposed_secrets, hints_about
from pattern_sync.config.names import ENV_FILE_VARIABLE, PREFIX
from pattern_sync.config.rereading import CRITERIA, Reread, Rereader
from pattern_sync.config.settings import Settings
from pattern_sync.config.telling import TellingSettings

__all__ = [
    "CRITERIA",
    "ENV_FILE_VARIABLE",
    "PREFIX",
    "Reread",
    "Rereader",
    "Settings",
    "TellingSettings",
    "exposed_secrets",
    "hints_about",
]
