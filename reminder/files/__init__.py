"""What people write by hand in TOML: the plan, the calendar's overrides, the list of people."""
