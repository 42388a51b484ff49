"""Tests of reminder.channels."""
