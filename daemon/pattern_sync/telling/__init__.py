"""Telling people of patterns that are worth a look, outside the page."""

from pattern_sync.telling.messages import Messages, Tested
from pattern_sync.telling.teller import Teller
from pattern_sync.telling.terms import Terms

__all__ = ["Messages", "Teller", "Terms", "Tested"]
