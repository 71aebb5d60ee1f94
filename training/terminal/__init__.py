"""Print: messages and progress on stderr, tables on stdout."""
