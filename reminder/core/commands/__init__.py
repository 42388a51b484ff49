"""What an officer types: text → Command | CommandError, and back.

`parse` knows the plan's codes, names and units, and nothing of what is open.
"""

from reminder.core.commands.formats import format_command
from reminder.core.commands.model import Command, CommandError, Meaning, Reason, Target, Verb
from reminder.core.commands.parse import parse

__all__ = [
    "Command",
    "CommandError",
    "Meaning",
    "Reason",
    "Target",
    "Verb",
    "format_command",
    "parse",
]
