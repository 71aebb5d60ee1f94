"""What commands print: progress on stderr, tables on stdout."""
