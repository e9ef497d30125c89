"""What counts as a routine."""

from dataclasses import dataclass, field

from pattern_sync.detecting.orchestration import Orchestration


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a routine: in at least so many sessions, of at least so many steps.

    After its first two steps the rest follows in at least `min_follows` of all times (the lower end, 95 %). It is seen
    `min_lift` times as often as the habits of its single steps let expect. It adds at least the share `min_own` of its
    runs to what better routines cover.
    """

    min_sessions: int = 8
    min_steps: int = 3
    min_follows: float = 0.3
    min_lift: float = 5.0
    min_own: float = 0.25
    orchestration: Orchestration = field(default_factory=Orchestration.shipped)
