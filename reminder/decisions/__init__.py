"""A command by a sender → what is recorded and what is said.

Nothing is ever recorded on a doubt: what can't be done, or can be read in two ways, is a view that
says what to type instead.
"""

from reminder.decisions.decide import decide, decide_error, may_change

__all__ = ["decide", "decide_error", "may_change"]
