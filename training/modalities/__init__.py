"""What is particular to each kind of input: reading, augmentation, architectures."""
