"""Training of networks in TensorFlow: the loop, the targets, the joint loss, and what is kept of them."""
