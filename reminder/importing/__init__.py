"""An office's document → a draft plan."""
