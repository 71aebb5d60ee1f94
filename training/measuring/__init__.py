"""What a finished model is worth: accuracy, calibration, time, each level's part; and how it is told."""
