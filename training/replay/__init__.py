"""Recorded outputs of levels: thresholds are tried on recordings, not on networks."""
