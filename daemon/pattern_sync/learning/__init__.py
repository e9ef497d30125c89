"""Learning from people's decisions: the service that does it, and what people see of it."""

from pattern_sync.learning.learner import Learner
from pattern_sync.learning.learning import Learning, Likelihood

__all__ = ["Learner", "Learning", "Likelihood"]
