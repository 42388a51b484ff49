"""What an operator needs of a running daemon: copies, liveness, metrics, a heartbeat."""
