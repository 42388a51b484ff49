"""Tests of reminder.channels.telegram."""
