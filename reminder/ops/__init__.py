"""What an operator needs of a running daemon: copies, a pulse, figures, a heartbeat."""
