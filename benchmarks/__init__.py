"""One command for each headline figure; each prints ratios and counts of one run, and JSON in its last line."""
