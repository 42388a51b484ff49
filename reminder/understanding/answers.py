"""A bare “đúng” or “chưa”, in answer to a question."""

from __future__ import annotations

from reminder.domain.text import normal
from reminder.understanding import spelling
from reminder.understanding.lexicon import ANSWERS, COURTESY, HARMLESS, MOODS

_LONGEST = 40  # characters of a bare answer


def yes_or_no(text: str) -> bool | None:
    """What `text` answers, politeness aside; None if it says anything else."""
    if len(text) > _LONGEST:
        return None
    tokens = spelling.tokens(normal(text).strip())
    words: list[str] = []
    index = 0
    while index < len(tokens):
        polite, mood = HARMLESS.at(tokens, index), MOODS.at(tokens, index)
        if polite and polite.value in COURTESY and not (mood and mood.size >= polite.size):
            index += polite.size
        else:
            if tokens[index].text[0].isalnum():
                words.append(tokens[index].plain)
            elif tokens[index].text == "?":
                return None
            index += 1
    return ANSWERS.get(" ".join(words)) if words else None
