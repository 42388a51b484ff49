"""The use cases, each a sentence: tick, receive, lease, settle, enrol. Synchronous; no clock."""
