"""Data sets by name, their cleaning, and the split in four."""
