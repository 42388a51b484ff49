"""Fakes that keep the real services' rules: a test that passes here says something about there."""
