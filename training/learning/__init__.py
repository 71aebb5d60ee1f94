"""Training of networks: everything that happens inside TensorFlow, and what is kept of it."""
