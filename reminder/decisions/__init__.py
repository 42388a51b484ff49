"""A command by a sender → the events to record and the answers to give.

Nothing is recorded in doubt: what can't be done, or is ambiguous, gets an answer that says what to
type instead.
"""

from reminder.decisions.decide import decide, decide_error, may_change

__all__ = ["decide", "decide_error", "may_change"]
