"""Pictures, grey or in colour."""
