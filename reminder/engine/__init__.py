"""Who does which work: keys of roles, each at one process at a time, and periods."""
