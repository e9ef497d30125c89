"""Rules that decide for people, once people's own decisions have shown that they agree."""

from pattern_sync.ruling.keeper import RuleKeeper
from pattern_sync.ruling.rules import Reverted, Rules, RuleView

__all__ = ["Reverted", "RuleKeeper", "RuleView", "Rules"]
