"""Anything at all comes in: nothing fails, and nobody does what they may not."""
