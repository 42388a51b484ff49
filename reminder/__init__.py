"""Reminds a Vietnamese ward office of its yearly plan, and remembers what was answered."""

__version__ = "0.1.0"
