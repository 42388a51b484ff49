"""Checks of what is set up, each told in plain words with what to do about it."""
