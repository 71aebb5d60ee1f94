"""A person's side of a published model: requests, files, answers."""
