"""Train models as one network and as levels, and publish them: the only package that imports TensorFlow."""
