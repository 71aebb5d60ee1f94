"""What a ladder of levels promises, on rows that nothing else has seen."""
