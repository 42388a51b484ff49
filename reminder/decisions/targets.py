"""Which occurrences a target names, or why none of them can be acted on.

What a “done” closes is `choose`, by the rules of “What closes what” in the contract: nothing is
closed on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from reminder.decisions.outcome import RefusalError, head, of_plan, own_units, refusal, tail
from reminder.domain.context import Context
from reminder.domain.ledger import State
from reminder.domain.payloads import (
    AlreadyDone,
    NotOpenYet,
    NotYourUnit,
    WhichPart,
    WhichPlan,
    WhichUnit,
)
from reminder.domain.plan import Confirm, Deliverable, Key, Kind, Plan, Task
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

Wanted = Callable[[State], bool]


@dataclass(frozen=True, slots=True)
class Closes:
    """These close, in this order."""

    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Which:
    """Several products could be meant: nothing closes, each is offered."""

    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Already:
    """All that is open by now is closed; `last` is what closed last."""

    last: State
    following: State | None = None  # the next occurrence, not open yet


@dataclass(frozen=True, slots=True)
class NotOpen:
    """Nothing is open yet; `following` opens next and is closed only by naming its period."""

    following: State


@dataclass(frozen=True, slots=True)
class Nothing:
    """The task has no such deliverable or period."""


Choice = Closes | Which | Already | NotOpen | Nothing


def choose(task: Task, states: Iterable[State], target: Target, today: date) -> Choice:
    """What `target` means of `task`, whose occurrences stand as in `states`.

    Of several open instances that `target` does not tell apart none is chosen: not the oldest, and
    not the first.
    """
    wanted = _wanted(task, target)
    mine = sorted((s for s in states if s.occurrence.deliverable in wanted), key=_urgency)
    if target.period is not None:
        mine = [s for s in mine if s.key.period == target.period]
        if not mine:
            return Nothing()
        return Closes(_open(mine)) if _open(mine) else Already(mine[-1])
    opened = [s for s in mine if s.occurrence.opens <= today]
    undone = _open(opened)
    if _asks(task, target, wanted) and opened:
        return Which(undone) if undone else Already(_latest(opened))
    if undone:
        told_apart = target.every or len({s.key.deliverable for s in undone}) == len(undone)
        named = target.deliverables or target.every or len(undone) == 1
        return Closes(undone) if told_apart and named else Which(undone)
    following = next((s for s in mine if not s.closed and s.occurrence.opens > today), None)
    if any(s.closed for s in opened):
        return Already(_latest([s for s in opened if s.closed]), following)
    return NotOpen(following) if following else Nothing()


def _wanted(task: Task, target: Target) -> tuple[Deliverable, ...]:
    """The deliverables that may be meant: those named, else the products, else the check-in."""
    if target.deliverables:
        return tuple(d for d in task.deliverables if d.number in target.deliverables)
    return task.products or task.deliverables


def _asks(task: Task, target: Target, wanted: Sequence[Deliverable]) -> bool:
    """Several products and none named: a bare code is a question. BC's follow one another."""
    named = bool(target.deliverables) or target.every
    return not named and len(wanted) > 1 and any(d.kind is not Kind.REPORT for d in task.products)


def _open(states: Iterable[State]) -> tuple[State, ...]:
    return tuple(state for state in states if not state.closed)


def _latest(states: Sequence[State]) -> State:
    return max(states, key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)


def _urgency(state: State) -> tuple[date, int]:
    return state.due or date.max, state.key.deliverable


@dataclass(frozen=True)
class Work:
    """The task that a target names, with all of its occurrences."""

    plan: Plan
    task: Task
    states: tuple[State, ...]

    def named(self, target: Target) -> tuple[State, ...]:
        """The occurrences that `target` may mean."""
        return tuple(state for state in self.states if is_named(state.key, target))


def is_named(key: Key, target: Target) -> bool:
    """Whether the occurrence `key` of its task is one that `target` may mean."""
    by_number = not target.deliverables or key.deliverable in target.deliverables
    return by_number and target.period in (None, key.period)


def in_plans(context: Context, target: Target) -> list[tuple[Plan, Task]]:
    """The task that `target` names in each plan that has it."""
    found = [
        (plan, plan.by_code[target.task])
        for plan in context.plans
        if target.plan in (None, plan.id) and target.task in plan.by_code
    ]
    if not found:
        raise refusal("no-such", code=target.task)
    return found


def waits(context: Context, target: Target) -> Wanted:
    """Whether an occurrence is open, and waits for the sender's units or for the one named."""

    def wanted(state: State) -> bool:
        if state.closed or state.occurrence.opens > context.today:
            return False
        task = state.occurrence.task
        units = (target.unit,) if target.unit in task.lead else own_units(context, task)
        shared = task.confirm is Confirm.ALL and bool(units) and target.unit != "*"
        return not shared or any(unit in state.open_units for unit in units)

    return wanted


def resolve(
    context: Context, command: Command, target: Target, wanted: Wanted | None = None
) -> Work:
    """The task in the plan that has a `wanted` (by default: open) occurrence of it."""
    wanted = wanted or waits(context, target)
    found = []
    for plan, task in in_plans(context, target):
        states = (s for key, s in context.states.items() if key[:2] == (plan.id, task.code))
        found.append(Work(plan, task, tuple(states)))
    found = [work for work in found if work.named(target)]
    if not found:
        raise refusal("no-such", code=target.task)
    live = [work for work in found if any(map(wanted, work.named(target)))]
    if len(live) > 1:
        forms = tuple(of_plan(command, target, work.plan.year) for work in live)
        raise RefusalError(WhichPlan(code=target.task, typed=forms))
    begun = [work for work in found if work.plan.first_day <= context.today]
    return (live or begun[-1:] or found)[0]


def parts(context: Context, work: Work, target: Target) -> tuple[str, ...]:
    """The units whose part the sender acts for: the own, or as the office those named."""
    task, own, named = work.task, own_units(context, work.task), target.unit
    office = context.sender.office
    mine = task.lead if office else own
    if not mine:
        raise not_yours(context, work, target)
    if task.confirm is Confirm.ANY:
        return (named,) if named in mine and named else (own or mine)[:1]
    if named == "*":
        return mine
    if named:
        if named not in mine:
            raise not_yours(context, work, target)
        return (named,)
    if not own:
        raise RefusalError(WhichUnit(key=work.states[0].key, units=task.lead))
    return own


def own_parts(context: Context, work: Work, target: Target) -> tuple[str, ...]:
    """The sender's own parts; the office may not do this for others."""
    own = own_units(context, work.task)
    if not own:
        raise not_yours(context, work, target)
    return (target.unit,) if target.unit in own and target.unit else own


def on_record(context: Context, task: Task) -> str:
    """The unit whose part an act of the office on the whole concerns."""
    return (own_units(context, task) or task.lead)[0]


def not_yours(context: Context, work: Work, target: Target) -> RefusalError:
    key = (work.named(target) or work.states)[0].key
    return RefusalError(NotYourUnit(key=key, instead=instead(context, target)))


def instead(context: Context, target: Target) -> Key | None:
    """The open occurrence of what a bare ASCII code may have meant: 1đ, where “1d” was typed."""
    if target.also_meant is None:
        return None
    other = replace(target, task=target.also_meant, also_meant=None, deliverables=(), period=None)
    plans = {plan.id for plan in context.plans}
    live = [
        state
        for state in context.states.values()
        if state.key.plan in plans and target.plan in (None, state.key.plan)
        if state.key.task == other.task and waits(context, other)(state)
        if context.sender.office or own_units(context, state.occurrence.task)
    ]
    live.sort(key=lambda state: state.occurrence.is_check_in)
    return live[0].key if live else None


TOGETHER = timedelta(minutes=1)  # two colleagues who report the same thing at once


def choice(context: Context, work: Work, target: Target, units: tuple[str, ...]) -> Choice:
    """What `target` means for `units`: of shared work, what they have confirmed is closed."""
    seen = [_as_seen(state, units) for state in work.states]
    made = choose(work.task, seen, target, context.today)
    if not isinstance(made, Closes | Which):
        return made
    if len(made.states) > 1 and not (target.deliverables or target.every):
        made = Which(made.states)
    twice = _just_closed(context, made.states[0], units) if target.period is None else None
    return Already(twice, made.states[0]) if twice else made


def _as_seen(state: State, units: tuple[str, ...]) -> State:
    if state.closed or not units or any(unit not in state.parts for unit in units):
        return state
    return replace(state, closed=state.parts[units[-1]])


def _just_closed(context: Context, state: State, units: tuple[str, ...]) -> State | None:
    """An earlier occurrence that a colleague closed this minute: the same is meant, no other."""
    for other in context.states.values():
        if other.key[:3] != state.key[:3] or other.key == state.key:
            continue
        if not units or any(unit not in other.parts for unit in units):
            continue
        closing = other.parts[units[-1]]
        colleague = closing.by != context.sender.person.id
        if colleague and abs(context.now - closing.at) < TOGETHER:
            return replace(other, closed=closing)
    return None


def open_states(
    context: Context,
    command: Command,
    target: Target,
    work: Work,
    units: tuple[str, ...],
    *,
    unopened: bool = False,
    any_of: bool = False,
) -> tuple[State, ...]:
    """The open occurrences that are spoken of; where no product is open, the check-in.

    `unopened`: one not open yet will do; `any_of`: of several products the earliest will do, but
    never of several instances of one product.
    """
    made = choice(context, work, target, units)
    check_in = work.task.check_in
    named = target.deliverables or target.period
    if not isinstance(made, Closes | Which) and check_in and not named:
        standing = choice(context, work, replace(target, deliverables=(check_in.number,)), units)
        made = standing if isinstance(standing, Closes) else made
    match made:
        case Closes(states):
            return _as_kept(context, states)
        case Which(states) if any_of and not recur_together(states):
            return _as_kept(context, states[:1])
        case Which(states):
            raise which(command, states, (units or ("",))[0], context.words)
        case Already(_, State() as following) | NotOpen(following) if unopened:
            return _as_kept(context, (following,))
    raise unclosable(made, target)


def _as_kept(context: Context, states: tuple[State, ...]) -> tuple[State, ...]:
    return tuple(context.states[state.key] for state in states)


def recur_together(states: Sequence[State]) -> bool:
    """Whether several instances of one product are among `states`."""
    return len({state.key.deliverable for state in states}) < len(states)


def which(
    command: Command, states: tuple[State, ...], unit: str = "", words: str = ""
) -> RefusalError:
    """The question which of `states` is meant, with a typed form for each.

    What is not done can also be told by one tap, which keeps the message's `words`.
    """
    keys = tuple(state.key for state in states)
    asked = WhichPart(keys=keys, head=head(command.verb), tail=tail(command))
    if unit and command.verb in (Verb.NOT_DONE, Verb.DOING):
        asked = replace(asked, unit=unit, words=words)
    return RefusalError(asked)


def unclosable(made: Choice, target: Target) -> RefusalError:
    """Why there is nothing to act on: all is done, or nothing is open yet."""
    match made:
        case Already(last, following):
            assert last.closed is not None
            key = following.key if following else None
            return RefusalError(AlreadyDone(key=last.key, event=last.closed, following=key))
        case NotOpen(following):
            return RefusalError(NotOpenYet(key=following.key))
        case _:
            return refusal("no-such", code=target.task)
