"""The files that people write in TOML: plans, people, calendar, settings."""
