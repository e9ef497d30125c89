"""The learner: learns after sweeps, foretells what is pending, and looks at how well that went."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from pattern_sync.domain.facts import Emit, GateJudged, LikelihoodsHidden, LikelihoodsShown, ModelIgnored, ModelLearned
from pattern_sync.domain.folding import Prediction
from pattern_sync.domain.gate import Gate, Scored, judge
from pattern_sync.domain.kept import KeptModel, Unforetold
from pattern_sync.domain.learning import MOST_LESSONS, learn
from pattern_sync.domain.lessons import Lesson
from pattern_sync.domain.model import Model
from pattern_sync.domain.model_text import digest_of, model_text
from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.domain.standing import LearnMode, gate_words
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings

# Decisions after which it learns anew.
EVERY = 10
MOST_AT_ONCE = 5_000
# Of a long queue, a look at all takes seconds.
LARGEST_SHARE_OF_TIME = 0.1


class LearningStore(Protocol):
    """What the learner needs of the database."""

    async def newest(self) -> KeptModel: ...
    async def lessons(self, most: int) -> list[Lesson]: ...
    async def record(self, most: int) -> list[Scored]: ...
    async def keep_model(self, replaced: int | None, lessons: int, text: str, digest: str) -> int | None: ...
    async def settle_gate(self, model_id: int, gate: Gate, *, shown: bool) -> None: ...
    async def hide(self) -> bool: ...
    async def unforetold(self, model_id: int, after: str, most: int) -> list[Unforetold]: ...
    async def keep_predictions(self, model_id: int, said: Sequence[tuple[Prediction, int]]) -> bool: ...
    async def forget_predictions(self) -> None: ...
    async def tell_pages(self, signatures: Sequence[str] | None) -> None: ...


class Learner:
    """Keeps a model of what people approve, and what it foretells of each pending entry. It decides nothing.

    It is level-triggered: a sweep makes it look whether there is something to learn, and a change of the queue whether
    there is something to foretell. Pages are told of what they show of it. `now` is a monotonic clock in seconds.
    """

    name = "learner"

    def __init__(
        self,
        store: LearningStore,
        mode: LearnMode,
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        timings: Timings,
    ) -> None:
        self._store = store
        self._mode = mode
        self._emit = emit
        self._activity = activity
        self._now = now
        self._timings = timings
        self._woken = asyncio.Event()
        self._is_due = True
        self._model: tuple[int, Model] | None = None
        self._ignored_id: int | None = None
        self._shows = False

    def swept(self) -> None:
        """Have it look soon whether there is something to learn: a sweep is done."""
        self._is_due = True
        self._woken.set()

    def wake(self) -> None:
        """Have it look soon whether there is something to foretell: the queue has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            await self._activity.wait_for(self._woken, self._timings.learning_seconds)
            self._woken.clear()
            begun_at = self._now()
            async with self._activity.working(put_back=self.swept):
                await self.run_once()
            if not self._activity.in_outage:
                rest_seconds = (self._now() - begun_at) / LARGEST_SHARE_OF_TIME
                await self._activity.wait(max(self._timings.learning_pace_seconds, rest_seconds))

    async def run_once(self) -> None:
        """Learn if that is due, and foretell what has not been foretold."""
        is_due, self._is_due = self._is_due, False
        if self._mode is LearnMode.OFF:
            if is_due and await self._store.hide():
                await self._store.tell_pages(None)
            return
        if is_due and await self._learn():
            await self._store.tell_pages(None)
        foretold = [] if self._model is None else await self._foretell(*self._model)
        if self._shows and foretold != []:
            await self._store.tell_pages(foretold)

    async def _learn(self) -> bool:
        """Learn if there is something to learn; return whether likelihoods are shown from now on, or no longer."""
        kept = await self._store.newest()
        self._shows = False
        model, fault = kept.read_or_why()
        if fault is not None and kept.id is not None:
            await self._ignore(kept.id, str(fault))
            if fault.is_later:  # a newer daemon is at work, whose model is better than ours
                self._model = None
                return kept.shown
        model_id = kept.id
        if model is None or abs(kept.lessons - kept.learned) >= EVERY:
            model_id, model = await self._learn_anew(kept, model)
        self._model = None if model is None or model_id is None else (model_id, model)
        if self._model is not None:
            await self._judge(self._model[0], was_shown=kept.shown and fault is None)
        await self._store.forget_predictions()
        return kept.shown != self._shows

    async def _learn_anew(self, kept: KeptModel, model: Model | None) -> tuple[int | None, Model | None]:
        """Learn, and return the new model; the one that there is if nothing can be learned, or another daemon did."""
        learned = await asyncio.to_thread(learn, await self._store.lessons(MOST_LESSONS))
        if learned is None:
            return kept.id, model
        text = model_text(learned)
        model_id = await self._store.keep_model(kept.id, kept.lessons, text, digest_of(text))
        if model_id is None:
            return kept.id, model
        self._emit(ModelLearned(model_id, learned.decided))
        return model_id, learned

    async def _judge(self, model_id: int, *, was_shown: bool) -> None:
        gate = judge(await self._store.record(MOST_LESSONS))
        self._shows = shown = gate.is_open and self._mode is LearnMode.ON
        await self._store.settle_gate(model_id, gate, shown=shown)
        self._emit(GateJudged(gate.z, shown))
        if shown and not was_shown:
            self._emit(LikelihoodsShown(gate_words(gate)))
        elif was_shown and not shown:
            wanted = self._mode is LearnMode.ON
            self._emit(LikelihoodsHidden(gate_words(gate) if wanted else f"PATTERN_SYNC_LEARN is `{self._mode}`"))

    async def _ignore(self, model_id: int, reason: str) -> None:
        await self._store.hide()
        if model_id != self._ignored_id:
            self._ignored_id = model_id
            self._emit(ModelIgnored(model_id, reason))

    async def _foretell(self, model_id: int, model: Model) -> list[str] | None:
        """Foretell what has not been foretold, and return of which entries; None if they are too many to name."""
        after = ""
        names: list[str] = []
        while found := await self._store.unforetold(model_id, after, MOST_AT_ONCE):
            said = await asyncio.to_thread(_foretold, model, found)
            if not await self._store.keep_predictions(model_id, said):
                break  # another daemon does it
            after = found[-1].signature
            names += (each.signature for each in found[: MOST_NAMED + 1 - len(names)])
        return names if len(names) <= MOST_NAMED else None


def _foretold(model: Model, found: Sequence[Unforetold]) -> list[tuple[Prediction, int]]:
    return [(Prediction(each.signature, model.likelihood(each.traits)), each.version) for each in found]
