"""Few numbers learned on validation rows: temperatures, and weights of pools."""
