"""Measurements of a finished model: accuracy, calibration, time, the contribution of each level; and their report."""
