"""What the learner does, look by look, without a database."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.domain.facts import GateJudged, LikelihoodsHidden, LikelihoodsShown, ModelIgnored, ModelLearned
from pattern_sync.domain.folding import Prediction
from pattern_sync.domain.gate import Gate, Scored
from pattern_sync.domain.kept import KeptModel, Unforetold
from pattern_sync.domain.learning import learn
from pattern_sync.domain.lessons import Lesson
from pattern_sync.domain.model_text import digest_of, model_text
from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.domain.standing import LearnMode
from pattern_sync.learning import Learner
from pattern_sync.learning.learner import EVERY
from pattern_sync.services.timings import Timings
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordingActivity
from tests.support.tastes import MadeUp

TIMINGS = Timings()


class Store:
    """What a database would keep."""

    def __init__(self, lessons: int = 40) -> None:
        made_up = MadeUp("mixed", 1)
        self.lessons_made = [made_up.lesson() for _ in range(lessons)]
        self.kept = KeptModel(lessons, sum(each.approved for each in self.lessons_made))
        self.waiting = [Unforetold(f"kind:{number}", made_up.traits(), 1) for number in range(3)]
        self.foretold: list[Scored] = []
        self.predicted: dict[str, int] = {}
        self.gate: Gate | None = None
        self.hidden = 0
        self.forgotten = 0
        self.told: list[Sequence[str] | None] = []
        self.is_beaten = False
        self.is_lost = False

    async def newest(self) -> KeptModel:
        if self.is_lost:
            raise DatabaseUnavailable("gone")
        return self.kept

    async def lessons(self, _most: int) -> list[Lesson]:
        return self.lessons_made

    async def record(self, _most: int) -> list[Scored]:
        return self.foretold

    async def keep_model(self, replaced: int | None, lessons: int, text: str, digest: str) -> int | None:
        if self.is_beaten:
            return None
        self.kept = replace(self.kept, id=(replaced or 0) + 1, learned=lessons, text=text, digest=digest)
        return self.kept.id

    async def settle_gate(self, _model_id: int, gate: Gate, *, shown: bool) -> None:
        self.gate = gate
        self.kept = replace(self.kept, gate=gate, shown=shown)

    async def hide(self) -> bool:
        self.hidden += 1
        shown, self.kept = self.kept.shown, replace(self.kept, shown=False)
        return shown

    async def unforetold(self, model_id: int, after: str, _most: int) -> list[Unforetold]:
        return [
            each for each in self.waiting if each.signature > after and self.predicted.get(each.signature, 0) < model_id
        ]

    async def keep_predictions(self, model_id: int, said: Sequence[tuple[Prediction, int]]) -> bool:
        if self.is_beaten:
            return False
        self.predicted.update({each.signature: model_id for each, _ in said})
        return True

    async def forget_predictions(self) -> None:
        self.forgotten += 1

    async def tell_pages(self, signatures: Sequence[str] | None) -> None:
        self.told.append(signatures)


class Stage:
    """A learner beside a store."""

    def __init__(self, mode: LearnMode = LearnMode.ON, lessons: int = 40) -> None:
        self.store = Store(lessons)
        self.facts = RecordedFacts()
        self.clock = Clock()
        self.activity = RecordingActivity(self.clock)
        self.learner = Learner(self.store, mode, self.facts, self.activity, self.clock, TIMINGS)

    def look(self) -> None:
        run(self.learner.run_once())


def good(number: int) -> list[Scored]:
    return [Scored(0.9 if each % 3 == 0 else 0.1, each % 3 == 0, "ann") for each in range(number)]


def test_it_learns_and_foretells_what_waits() -> None:
    stage = Stage()
    stage.look()
    assert stage.facts.of(ModelLearned) == [ModelLearned(1, 40)]
    assert set(stage.store.predicted) == {"kind:0", "kind:1", "kind:2"}
    assert stage.store.gate is not None
    assert not stage.store.gate.is_open
    assert stage.store.forgotten == 1


def test_before_there_is_anything_to_learn_it_does_nothing() -> None:
    stage = Stage(lessons=5)
    stage.look()
    assert (stage.store.kept.id, stage.store.predicted, stage.facts) == (None, {}, [])


def test_it_learns_anew_only_after_a_sweep_and_ten_decisions() -> None:
    stage = Stage()
    stage.look()
    stage.store.kept = replace(stage.store.kept, lessons=40 + EVERY)
    stage.look()
    assert len(stage.facts.of(ModelLearned)) == 1
    stage.learner.swept()
    stage.look()
    assert len(stage.facts.of(ModelLearned)) == 2
    assert set(stage.store.predicted.values()) == {2}
    stage.store.kept = replace(stage.store.kept, lessons=40 + EVERY + EVERY - 1)
    stage.learner.swept()
    stage.look()
    assert len(stage.facts.of(ModelLearned)) == 2


def test_ten_decisions_that_are_undone_count_too() -> None:
    stage = Stage()
    stage.look()
    stage.store.kept = replace(stage.store.kept, lessons=40 - EVERY)
    stage.learner.swept()
    stage.look()
    assert len(stage.facts.of(ModelLearned)) == 2


def test_it_shows_likelihoods_once_and_hides_them_once() -> None:
    stage = Stage()
    stage.store.foretold = good(60)
    for _ in range(2):
        stage.learner.swept()
        stage.look()
    assert len(stage.facts.of(LikelihoodsShown)) == 1
    assert stage.store.kept.shown
    stage.store.foretold += [replace(each, approved=not each.approved) for each in good(200)]
    for _ in range(2):
        stage.learner.swept()
        stage.look()
    assert len(stage.facts.of(LikelihoodsHidden)) == 1
    assert not stage.store.kept.shown


def test_a_daemon_that_only_records_says_whose_wish_it_is() -> None:
    stage = Stage(LearnMode.RECORD)
    stage.store.foretold = good(60)
    stage.store.kept = replace(stage.store.kept, shown=True)
    stage.look()
    assert stage.facts.of(LikelihoodsHidden) == [LikelihoodsHidden("PATTERN_SYNC_LEARN is `record`")]
    (judged,) = stage.facts.of(GateJudged)
    assert judged.z > 2
    assert not judged.shown
    assert stage.store.gate is not None
    assert stage.store.gate.is_open


def test_pages_are_told_what_they_show_otherwise() -> None:
    stage = Stage()
    stage.look()
    assert stage.store.told == []  # nothing of it is shown
    stage.store.foretold = good(60)
    stage.learner.swept()
    stage.look()
    assert stage.store.told == [None]  # the gate has opened
    stage.store.waiting += [replace(stage.store.waiting[0], signature=f"new:{number}") for number in range(MOST_NAMED)]
    stage.learner.wake()
    stage.look()
    assert stage.store.told[1:] == [[f"new:{number}" for number in range(MOST_NAMED)]]
    stage.learner.wake()
    stage.look()
    assert len(stage.store.told) == 2
    stage.store.kept = replace(stage.store.kept, lessons=40 + EVERY)
    stage.learner.swept()
    stage.look()
    assert stage.store.told[2:] == [None]  # too many to name: all of them are foretold anew
    stage.store.foretold = []
    stage.learner.swept()
    stage.look()
    assert stage.store.told[3:] == [None]  # the gate has closed
    stage.store.waiting += [replace(stage.store.waiting[0], signature="newest")]
    stage.look()
    assert len(stage.store.told) == 4


def test_switched_off_the_pages_are_told_once() -> None:
    stage = Stage(LearnMode.OFF)
    stage.store.kept = replace(stage.store.kept, shown=True)
    for _ in range(2):
        stage.learner.swept()
        stage.look()
    assert stage.store.told == [None]


def test_switched_off_it_hides_after_each_sweep_and_does_nothing_else() -> None:
    stage = Stage(LearnMode.OFF)
    stage.look()
    stage.learner.wake()
    stage.look()
    assert (stage.store.hidden, stage.store.kept.id, stage.store.predicted) == (1, None, {})


def test_what_another_daemon_does_is_left_to_it() -> None:
    stage = Stage()
    stage.look()
    first = stage.store.kept
    stage.store.predicted = {}
    stage.store.is_beaten = True
    stage.store.kept = replace(first, lessons=40 + EVERY)
    stage.learner.swept()
    stage.look()
    assert len(stage.facts.of(ModelLearned)) == 1
    assert (stage.store.kept.id, stage.store.predicted) == (first.id, {})


def test_an_edited_model_is_ignored_said_once_and_learned_anew() -> None:
    stage = Stage()
    stage.store.kept = replace(stage.store.kept, id=7, learned=40, text="{}", digest="x", shown=True)
    stage.look()
    assert stage.facts.of(ModelIgnored) == [ModelIgnored(7, "It is no model.")]
    assert (stage.store.hidden, stage.store.kept.id) == (1, 8)


def test_an_edited_model_that_cannot_be_learned_anew_is_said_once() -> None:
    stage = Stage(lessons=5)
    stage.store.kept = replace(stage.store.kept, id=7, learned=40, text="{}", digest="x", shown=True)
    for _ in range(2):
        stage.learner.swept()
        stage.look()
    assert len(stage.facts.of(ModelIgnored)) == 1
    assert stage.store.predicted == {}
    assert not stage.store.kept.shown


def test_a_later_versions_model_is_nothing_to_replace_nor_to_foretell_by() -> None:
    stage = Stage()
    stage.look()
    model = learn(stage.store.lessons_made)
    assert model is not None
    text = model_text(model).replace('"version":1', '"version":2')
    stage.store.kept = replace(stage.store.kept, id=2, text=text, digest=digest_of(text), lessons=90)
    stage.store.predicted = {}
    stage.learner.swept()
    stage.look()
    assert [fact.model_id for fact in stage.facts.of(ModelIgnored)] == [2]
    assert (stage.store.kept.id, stage.store.predicted) == (2, {})


def test_an_outage_is_waited_out_and_what_was_due_stays_due() -> None:
    stage = Stage()
    stage.store.is_lost = True

    async def go() -> None:
        task = asyncio.create_task(stage.learner.run())
        await settle(lambda: stage.activity.in_outage)
        stage.store.is_lost = False
        await settle(lambda: stage.store.predicted)
        await settle(lambda: TIMINGS.learning_pace_seconds in stage.activity.waits)
        task.cancel()

    run(go())
    assert stage.facts.of(ModelLearned)
    assert set(stage.activity.event_waits) == {TIMINGS.learning_seconds}
