"""The running program: wiring, daemon, dispatcher, reload, sandbox."""
