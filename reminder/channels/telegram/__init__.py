"""Telegram: sending, receiving, errors, limits."""
