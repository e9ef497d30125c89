"""Telling people of patterns that are worth a look, outside the page."""

from pattern_sync.telling.teller import Teller
from pattern_sync.telling.terms import Terms

__all__ = ["Teller", "Terms"]
