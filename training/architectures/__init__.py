"""Networks by name, one small file each."""
