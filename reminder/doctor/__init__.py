"""Checks the whole set-up of an office, and says what is wrong and what to do."""
