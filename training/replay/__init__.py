"""Recorded outputs of levels, on which thresholds are evaluated without running a network; and times of levels."""
