"""What predictions cost on Lambda."""
