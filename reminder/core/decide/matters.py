"""What a target is about: in which plan, and whose part of it the sender acts for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reminder.core.commands import Command, Target
from reminder.core.decide.common import RefusalError, refusal
from reminder.core.decide.forms import of_plan
from reminder.core.decide.packing import pack_key
from reminder.core.desk import Desk
from reminder.core.ledger import State
from reminder.core.plan import Confirm, Plan, Task

Wanted = Callable[[State], bool]


@dataclass(frozen=True)
class Matter:
    """The task that a target names, with all of its occurrences."""

    plan: Plan
    task: Task
    states: tuple[State, ...]

    def named(self, target: Target) -> tuple[State, ...]:
        """The occurrences that `target` may mean."""
        numbers = target.deliverables or tuple(d.number for d in self.task.deliverables)
        return tuple(
            state
            for state in self.states
            if state.key.deliverable in numbers and target.period in (None, state.key.period)
        )


def own_units(desk: Desk, task: Task) -> tuple[str, ...]:
    """The lead units of `task` for which the sender answers; leaders only read."""
    leaders = {plan.leaders for plan in desk.plans}
    return tuple(u for u in task.lead if u in desk.sender.units and u not in leaders)


def waits(desk: Desk, target: Target) -> Wanted:
    """Whether an occurrence is open, and waits for the sender's units or for the one named."""

    def wanted(state: State) -> bool:
        if state.closed or state.occurrence.opens > desk.today:
            return False
        task = state.occurrence.task
        units = (target.unit,) if target.unit in task.lead else own_units(desk, task)
        shared = task.confirm is Confirm.ALL and bool(units) and target.unit != "*"
        return not shared or any(unit in state.open_units for unit in units)

    return wanted


def find(desk: Desk, command: Command, target: Target, wanted: Wanted | None = None) -> Matter:
    """The task in the plan that has a `wanted` (by default: open) occurrence of it."""
    wanted = wanted or waits(desk, target)
    found = [
        Matter(plan, plan.by_code[target.task], _states(desk, plan, target.task))
        for plan in desk.plans
        if target.plan in (None, plan.id) and target.task in plan.by_code
    ]
    found = [matter for matter in found if matter.named(target)]
    if not found:
        raise refusal("no-such", code=target.task)
    live = [matter for matter in found if any(map(wanted, matter.named(target)))]
    if len(live) > 1:
        forms = [of_plan(command, target, matter.plan.year) for matter in live]
        raise RefusalError("which-plan", code=target.task, typed=forms)
    begun = [matter for matter in found if matter.plan.first_day <= desk.today]
    return (live or begun[-1:] or found)[0]


def _states(desk: Desk, plan: Plan, code: str) -> tuple[State, ...]:
    return tuple(s for key, s in desk.states.items() if key[:2] == (plan.id, code))


def parts(desk: Desk, matter: Matter, target: Target) -> tuple[str, ...]:
    """The units whose part the sender acts for: the own, or as the office those named."""
    task, own, named = matter.task, own_units(desk, matter.task), target.unit
    office = desk.sender.office
    mine = task.lead if office else own
    if not mine:
        raise not_yours(desk, matter, target)
    if task.confirm is Confirm.ANY:
        return (named,) if named in mine and named else (own or mine)[:1]
    if named == "*":
        return mine
    if named:
        if named not in mine:
            raise not_yours(desk, matter, target)
        return (named,)
    if not own:
        key = pack_key(matter.states[0].key)
        raise RefusalError("which-unit", key=key, units=list(task.lead))
    return own


def own_parts(desk: Desk, matter: Matter, target: Target) -> tuple[str, ...]:
    """The sender's own parts: what even the office does for nobody else."""
    own = own_units(desk, matter.task)
    if not own:
        raise not_yours(desk, matter, target)
    return (target.unit,) if target.unit in own and target.unit else own


def on_record(task: Task, own: tuple[str, ...]) -> str:
    """The unit whose part an act of the office on the whole concerns."""
    return (own or task.lead)[0]


def not_yours(desk: Desk, matter: Matter, target: Target) -> RefusalError:
    key = pack_key((matter.named(target) or matter.states)[0].key)
    return RefusalError("not-your-unit", key=key, instead=instead(desk, target))


def instead(desk: Desk, target: Target) -> list[object] | None:
    """The open occurrence of what a bare ASCII code may have meant: 1đ, where “1d” was typed."""
    if target.also_meant is None:
        return None
    other = replace(target, task=target.also_meant, also_meant=None, deliverables=(), period=None)
    live = [
        state
        for state in desk.states.values()
        if (plan := _plan(desk, state)) and target.plan in (None, plan.id)
        if state.key.task == other.task and waits(desk, other)(state)
        if desk.sender.office or own_units(desk, state.occurrence.task)
    ]
    live.sort(key=lambda state: state.occurrence.is_check_in)
    return pack_key(live[0].key) if live else None


def _plan(desk: Desk, state: State) -> Plan | None:
    return next((plan for plan in desk.plans if plan.id == state.key.plan), None)
