"""Messages to people."""

from pydantic import BaseModel

from pattern_sync.domain.messages import MessageState


class RetriedMessage(BaseModel):
    """A message that a daemon sends once more, at once."""

    id: int
    state: MessageState = MessageState.OPEN
