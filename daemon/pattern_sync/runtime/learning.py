"""The service that learns from people's decisions."""

from pattern_sync.config import Settings
from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.pool import Pool
from pattern_sync.database.queueing import SCAN_SECONDS
from pattern_sync.learning import Learner
from pattern_sync.runtime.core import Core


def build_learner(core: Core, settings: Settings, pool: Pool) -> Learner:
    """Return the service; by the settings, it may only see to it that nothing is shown."""
    return Learner(
        LearningGateway(pool.lane("learning", 1, SCAN_SECONDS).fetch),
        settings.learn,
        core.emit,
        core.supervisor.activity(Learner, core.learning),
        core.now,
        core.timings,
    )
