"""The store of answers that are kept for whoever asks again."""

from datetime import datetime

from pattern_sync.database.reviews import Fetch
from pattern_sync.domain.answers import Answer, Begun


class AnswersGateway:
    """Runs the statements; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def begin(self, key: str, request: str) -> Begun:
        """Begin a request, of which `request` is a digest, under a key."""
        row = (await self._fetch("begin_answer", key, request))[0]
        if row["turn"] is not None:
            return Begun(turn=row["turn"])
        if row["differs"]:
            return Begun(differs=True)
        if row["status_code"] is None:
            return Begun()
        return Begun(answer=Answer(row["status_code"], row["answer"], row["batch"]))

    async def finish(self, key: str, turn: datetime, answer: Answer) -> None:
        """Keep the answer, unless the turn was lost."""
        await self._fetch("finish_answer", key, turn, answer.status, answer.body, answer.batch)

    async def forget(self, key: str, turn: datetime) -> None:
        """Forget the request, which has written nothing."""
        await self._fetch("forget_answer", key, turn)
