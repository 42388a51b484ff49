"""Looks over an office's whole set-up, and says what is wrong and what to do."""
