"""Grey pictures."""
