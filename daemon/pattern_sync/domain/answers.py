"""Answers to requests that are sent again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was given; `batch` names the decision's batch, None if there is none."""

    status: int
    body: str
    batch: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a key: one of the three, or none of them while another request is at work.

    `turn` is for whoever has to answer now; `answer` was given before; `differs` says that it was for another request.
    """

    turn: datetime | None = None
    answer: Answer | None = None
    differs: bool = False
