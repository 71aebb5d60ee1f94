"""What is published, and where: manifests, what they promise, aliases, keys, and the store that holds them."""
