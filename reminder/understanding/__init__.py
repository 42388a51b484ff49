"""What an officer types: text → Command | CommandError, and back.

`parse` knows the plan's codes, names and units, and nothing of what is open.
"""

from reminder.understanding.answers import yes_or_no
from reminder.understanding.formats import format_command
from reminder.understanding.model import Command, CommandError, Meaning, Reason, Target, Verb
from reminder.understanding.parse import parse
from reminder.understanding.titles import by_title

__all__ = [
    "Command",
    "CommandError",
    "Meaning",
    "Reason",
    "Target",
    "Verb",
    "by_title",
    "format_command",
    "parse",
    "yes_or_no",
]
