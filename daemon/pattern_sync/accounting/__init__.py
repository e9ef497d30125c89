"""What approved patterns have saved, beside what they promised; the recording of it, and what follows from it."""

from pattern_sync.accounting.books import Accounting
from pattern_sync.accounting.keeper import SavingsKeeper

__all__ = ["Accounting", "SavingsKeeper"]
