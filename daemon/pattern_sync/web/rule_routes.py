"""The endpoints of rules: what they are, their trial, and the switches; and objections to what they are about to do."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Body, Depends, Path, Query, Request

from pattern_sync.domain.rules import RULE_NAME, RuleMark
from pattern_sync.ruling import Reverted, Rules
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import ADMINISTRATORS_ONLY, EVERYWHERE, OBJECTION, ONE_RULE, RULING
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.parameters import PatternId, Reviewer
from pattern_sync.web.schemas.rules import (
    Objected,
    Objection,
    RevertRequest,
    RuleChanges,
    RuleInFull,
    RuleList,
    RuleShown,
    RuleSwitch,
    Trial,
)

RuleName = Annotated[str, Path(description="The rule's name.", examples=["cheap-tests"], pattern=f"^{RULE_NAME}$")]


class RuleRoutes:
    """Rules for whoever reads; changed and switched by administrators only."""

    def __init__(self, rules: Rules, guard: Guard, identity: Identity) -> None:
        self._rules = rules
        self._identity = identity
        readers, administrators = [Depends(guard.reader)], [Depends(guard.administrator)]
        self.router = KnownOnly(prefix="/api/v1/rules", tags=["rules"], responses=EVERYWHERE)
        self.router.get("", dependencies=readers)(self.all)
        self.router.get("/{name}", dependencies=readers, responses=ONE_RULE)(self.show)
        self.router.get("/{name}/trial", dependencies=readers, responses=ONE_RULE)(self.trial)
        changing = ADMINISTRATORS_ONLY | RULING
        self.router.post("/{name}", dependencies=administrators, responses=changing)(self.set)
        for path, act in (("watch", self.watch), ("on", self.on), ("off", self.off)):
            self.router.post(f"/{{name}}/{path}", dependencies=administrators, responses=changing | ONE_RULE)(act)
        self.router.post("/{name}/revert", dependencies=administrators, responses=changing | ONE_RULE)(self.revert)

    async def all(self) -> RuleList:
        """List the rules, by name, and say whether the operator has forbidden them."""
        rules = [RuleShown.of(rule) for rule in await self._rules.all()]
        return RuleList(forbidden=self._rules.forbidden, rules=rules)

    async def show(self, name: RuleName) -> RuleInFull:
        """Return one rule: its terms, people's agreement with it, what it has marked, and what it did."""
        return RuleInFull.of(await self._rules.show(name))

    async def trial(
        self,
        name: RuleName,
        days: Annotated[
            float | None, Query(gt=0, le=36_500, description="Only what people decided in so many days; else ever.")
        ] = None,
    ) -> Trial:
        """Try a rule on your own history: what it would have decided, and what people decided instead.

        Nothing is written. `alarms` come first; `never` says why it cannot fire.
        """
        since = None if days is None else datetime.now(UTC) - timedelta(days=days)
        trial = await self._rules.trial(name, since)
        return Trial(rule=RuleShown.of(trial.rule), trial=trial)

    async def set(self, request: Request, name: RuleName, body: RuleChanges, x_reviewer: Reviewer = None) -> RuleShown:
        """Write a rule, or change some of its terms. For administrators only.

        A new rule is off. A change is a new version, and a rule that was on watches again.
        """
        who = self._identity.of(request) or body.reviewer or x_reviewer
        return RuleShown.of(await self._rules.set(name, body.changes(), who))

    async def watch(
        self,
        request: Request,
        name: RuleName,
        body: Annotated[RuleSwitch | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> RuleShown:
        """Have a rule mark what it would decide, and decide nothing. For administrators only."""
        return RuleShown.of(await self._rules.watch(name, self._who(request, body, x_reviewer)))

    async def on(
        self,
        request: Request,
        name: RuleName,
        body: Annotated[RuleSwitch | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> RuleShown:
        """Have a rule decide: refused until people's agreement reaches what the rule needs. For administrators only."""
        return RuleShown.of(await self._rules.turn_on(name, self._who(request, body, x_reviewer)))

    async def off(
        self,
        request: Request,
        name: RuleName,
        body: Annotated[RuleSwitch | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> RuleShown:
        """Have a rule do nothing. For administrators only."""
        return RuleShown.of(await self._rules.turn_off(name, self._who(request, body, x_reviewer)))

    async def revert(
        self,
        request: Request,
        name: RuleName,
        body: Annotated[RevertRequest | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> Reverted:
        """Take back what a rule decided, and pause it if it is on. For administrators only.

        What a person has touched since is left, and the rule never decides any of it again.
        """
        since = body.since if body else None
        return await self._rules.revert(name, since, self._who(request, body, x_reviewer))

    def _who(self, request: Request, body: RuleSwitch | RevertRequest | None, named: str | None) -> str | None:
        return self._identity.of(request) or (body.reviewer if body else None) or named


class MarkRoutes:
    """What rules are about to decide, and objections, for reviewers."""

    def __init__(self, rules: Rules, guard: Guard, identity: Identity) -> None:
        self._rules = rules
        self._identity = identity
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["rules"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.get("/marks")(self.marks)
        self.router.post("/{pattern_id:path}/veto", responses=OBJECTION)(self.veto)

    async def marks(
        self, limit: Annotated[int, Query(ge=1, le=1_000, description="The largest number to return.")] = 100
    ) -> list[RuleMark]:
        """List the pending entries that rules would decide: those that are on, at `due_at`, unless somebody objects."""
        return await self._rules.marks(limit)

    async def veto(
        self,
        request: Request,
        pattern_id: PatternId,
        body: Annotated[Objection | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> Objected:
        """Object to what rules are about to decide of a pattern: none of them ever does.

        What a rule has decided within the last minute is taken back.
        """
        who = self._identity.of(request) or (body.reviewer if body else None) or x_reviewer
        outcome = await self._rules.veto(pattern_id, who, body.reason if body else None)
        return Objected(pattern_id=pattern_id, outcome=outcome)
