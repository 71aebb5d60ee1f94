"""Use a published model: requests, batch files, and their answers."""
