"""How the daemon is, for probes."""

from pydantic import BaseModel, Field

from pattern_sync.observability.health import Condition


class Readiness(BaseModel):
    """Whether the daemon works."""

    status: Condition = Field(description="From best to worst: `ok`, `degraded`, `unavailable`.")
    reasons: list[str] = Field(description="What is wrong; empty if `status` is `ok`.")
