"""Which occurrences a target names, or why none of them can be acted on.

What a “done” closes is `choose`: nothing is closed on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from reminder.decisions.outcome import RefusalError, head, of_plan, own_units, refusal, tail
from reminder.domain import payloads
from reminder.domain.context import Context
from reminder.domain.ledger import State
from reminder.domain.plan import Confirm, Key, Kind, Plan, Task
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

Wanted = Callable[[State], bool]
TOGETHER = timedelta(minutes=1)  # two colleagues who report the same thing at once


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
    """Return what `target` means of `task`, whose occurrences stand as in `states`.

    Of several open instances that `target` does not tell apart none is chosen: not the oldest, and
    not the first.
    """
    named = bool(target.deliverables) or target.every
    if target.deliverables:
        wanted = tuple(d for d in task.deliverables if d.number in target.deliverables)
    else:
        wanted = task.products or task.deliverables
    mine = [s for s in states if s.occurrence.deliverable in wanted]
    mine.sort(key=lambda s: (s.due or date.max, s.key.deliverable))
    if target.period is not None:
        mine = [s for s in mine if s.key.period == target.period]
        undone = tuple(s for s in mine if not s.closed)
        return Closes(undone) if undone else Already(mine[-1]) if mine else Nothing()
    opened = [s for s in mine if s.occurrence.opens <= today]
    undone = tuple(s for s in opened if not s.closed)
    following = next((s for s in mine if not s.closed and s.occurrence.opens > today), None)
    # Several products and none named: a bare code is a question. Reports follow one another.
    reports = all(d.kind is Kind.REPORT for d in task.products)
    if opened and not named and len(wanted) > 1 and not reports:
        return Which(undone) if undone else Already(_last_closed(opened))
    if undone:
        told_apart = target.every or len({s.key.deliverable for s in undone}) == len(undone)
        plain = told_apart and (named or len(undone) == 1)
        return Closes(undone) if plain else Which(undone)
    if opened:
        return Already(_last_closed(opened), following)
    return NotOpen(following) if following else Nothing()


def _last_closed(states: Iterable[State]) -> State:
    return max(states, key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)


@dataclass(frozen=True)
class Work:
    """What a command says of one task: the task, in its plan, with all of its occurrences."""

    context: Context
    command: Command
    target: Target
    plan: Plan
    task: Task
    states: tuple[State, ...]

    @cached_property
    def named(self) -> tuple[State, ...]:
        """The occurrences that the target may mean."""
        return tuple(state for state in self.states if is_named(state.key, self.target))

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The lead units for which the sender answers."""
        return own_units(self.context, self.task)

    def parts(self) -> tuple[str, ...]:
        """Return the units whose part the sender acts for: the own, or as the office those named.

        Raise a refusal to a unit that does not lead, and a question to the office of shared work.
        The office acts for others only where it is proved who writes.
        """
        units, verb = self._parts(), self.command.verb
        if verb.row.terminal and not self.context.proved and not set(units) <= set(self.own):
            raise RefusalError(payloads.NeedsProof(verb=verb.value))
        return units

    def _parts(self) -> tuple[str, ...]:
        named = self.target.unit
        mine = self.task.lead if self.context.sender.office else self.own
        if self.task.confirm is Confirm.ANY and mine:
            return (named,) if named in mine and named else (self.own or mine)[:1]
        if not mine or (named and named != "*" and named not in mine):
            raise self._not_yours()
        if named:
            return mine if named == "*" else (named,)
        if not self.own:
            raise RefusalError(payloads.WhichUnit(key=self.states[0].key, units=self.task.lead))
        return self.own

    def own_parts(self) -> tuple[str, ...]:
        """Return the sender's own parts; the office may not do this for others."""
        if not self.own:
            raise self._not_yours()
        named = self.target.unit
        return (named,) if named in self.own and named else self.own

    def _not_yours(self) -> RefusalError:
        key, verb = (self.named or self.states)[0].key, self.command.verb.value
        other = instead(self.context, self.target)
        return RefusalError(payloads.NotYourUnit(key=key, instead=other, verb=verb))

    def choice(self, units: tuple[str, ...], target: Target | None = None) -> Choice:
        """Return what the target means for `units`: what they have confirmed is closed."""
        target, context = target or self.target, self.context
        seen = [_as_seen(state, units) for state in self.states]
        made = choose(self.task, seen, target, context.today)
        if not isinstance(made, Closes | Which):
            return made
        if len(made.states) > 1 and not (target.deliverables or target.every):
            made = Which(made.states)
        twice = _just_closed(context, made.states[0], units) if target.period is None else None
        return Already(twice, made.states[0]) if twice else made

    def check_in_choice(self, units: tuple[str, ...]) -> Choice:
        """Return the same of the task's check-in; Nothing without one."""
        check_in = self.task.check_in
        if check_in is None:
            return Nothing()
        return self.choice(units, replace(self.target, deliverables=(check_in.number,)))

    def open(
        self, units: tuple[str, ...] = (), *, unopened: bool = False, any_of: bool = False
    ) -> tuple[State, ...]:
        """Return the open occurrences that are spoken of; where no product is, the check-in.

        `unopened`: one not open yet will do; `any_of`: of several products the earliest will do,
        but never of several instances of one product.
        """
        made = self.choice(units)
        if not isinstance(made, Closes | Which) and not (
            self.target.deliverables or self.target.period
        ):
            standing = self.check_in_choice(units)
            made = standing if isinstance(standing, Closes) else made
        match made:
            case Closes(found):
                pass
            case Which((only,)):  # “gia hạn 1d”, when its other product is done
                found = (only,)
            case Which(states) if any_of and not recur_together(states):
                found = states[:1]
            case Which(states):
                raise self.which(states, (units or ("",))[0])
            case Already(_, State() as following) | NotOpen(following) if unopened:
                found = (following,)
            case _:
                raise unclosable(made, self.target, denied=self.command.verb is Verb.NOT_DONE)
        return tuple(self.context.states[state.key] for state in found)

    def which(self, states: Iterable[State], unit: str = "") -> RefusalError:
        """Return the question which of `states` is meant, with a typed form for each.

        What is not done can also be told by one tap, which keeps the message's words.
        """
        keys, command = tuple(state.key for state in states), self.command
        asked = payloads.WhichPart(keys=keys, head=head(command.verb), tail=tail(command))
        if unit and command.verb in (Verb.NOT_DONE, Verb.DOING):
            asked = replace(asked, unit=unit, words=self.context.words)
        return RefusalError(asked)


def is_named(key: Key, target: Target) -> bool:
    """Return whether the occurrence `key` of its task is one that `target` may mean."""
    by_number = not target.deliverables or key.deliverable in target.deliverables
    return by_number and target.period in (None, key.period)


def in_plans(context: Context, target: Target) -> list[tuple[Plan, Task]]:
    """Return the task that `target` names in each plan that has it."""
    found = [
        (plan, plan.by_code[target.task])
        for plan in context.plans
        if target.plan in (None, plan.id) and target.task in plan.by_code
    ]
    if not found:
        raise refusal("no-such", code=target.task)
    return found


def waits(context: Context, target: Target) -> Wanted:
    """Return whether an occurrence is open, for the sender's units or for the one named."""

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
    """Return the task in the plan that has a `wanted` (by default: open) occurrence of it."""
    wanted = wanted or waits(context, target)
    found = []
    for plan, task in in_plans(context, target):
        states = (s for key, s in context.states.items() if key[:2] == (plan.id, task.code))
        work = Work(context, command, target, plan, task, tuple(states))
        found += [work] if work.named else []
    if not found:
        raise refusal("no-such", code=target.task)
    live = [work for work in found if any(map(wanted, work.named))]
    if len(live) > 1:
        forms = tuple(of_plan(command, target, work.plan.year) for work in live)
        raise RefusalError(payloads.WhichPlan(code=target.task, typed=forms))
    begun = [work for work in found if work.plan.first_day <= context.today]
    return (live or begun[-1:] or found)[0]


def instead(context: Context, target: Target) -> Key | None:
    """Return the open occurrence of 1đ, which a bare ASCII “1d” may have meant."""
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


def _as_seen(state: State, units: tuple[str, ...]) -> State:
    if state.closed or not units or any(unit not in state.parts for unit in units):
        return state
    return replace(state, closed=state.parts[units[-1]])


def _just_closed(context: Context, state: State, units: tuple[str, ...]) -> State | None:
    """Return an earlier occurrence that a colleague closed this minute, and which is meant."""
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


def recur_together(states: Sequence[State]) -> bool:
    """Return whether several instances of one product are among `states`."""
    return len({state.key.deliverable for state in states}) < len(states)


def unclosable(
    made: Choice, target: Target, also_meant: Key | None = None, *, denied: bool = False
) -> RefusalError:
    """Return why there is nothing to act on: all is done, or nothing is open yet."""
    match made:
        case Already(State(closed=closed) as last, following) if closed:
            key = following.key if following else None
            done = payloads.AlreadyDone(
                key=last.key, event=closed, following=key, instead=also_meant, denied=denied
            )
            return RefusalError(done)
        case NotOpen(following):
            return RefusalError(payloads.NotOpenYet(key=following.key))
        case _:
            return refusal("no-such", code=target.task)
