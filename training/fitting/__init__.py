"""A few numbers fitted on validation rows: temperatures, and weights of pools."""
