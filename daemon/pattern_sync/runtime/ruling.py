"""The rules as people handle them, and the service that has them mark and decide."""

from datetime import UTC, datetime

from pattern_sync.config import Settings
from pattern_sync.database.pool import Pool
from pattern_sync.database.queueing import SCAN_SECONDS
from pattern_sync.database.reviews import Fetch
from pattern_sync.database.rules import RulesGateway
from pattern_sync.ruling import RuleKeeper, Rules
from pattern_sync.runtime.core import Core


def build_rules(fetch: Fetch, *, forbidden: bool) -> Rules:
    """Return the rules as people handle them."""
    return Rules(RulesGateway(fetch), lambda: datetime.now(UTC), forbidden=forbidden)


def build_rule_keeper(core: Core, settings: Settings, pool: Pool) -> RuleKeeper | None:
    """Return the service, or None where the operator has forbidden rules."""
    if not settings.rules:
        return None
    return RuleKeeper(
        RulesGateway(pool.lane("rules", 1, SCAN_SECONDS).fetch),
        core.emit,
        core.supervisor.activity(RuleKeeper, core.ruling),
        core.now,
        core.timings,
    )
