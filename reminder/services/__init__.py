"""The use cases: tick, receive, lease, deliver, enrol. Synchronous; time is an argument."""
