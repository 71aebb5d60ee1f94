"""Train models as one network and as levels, and publish them: the only package that imports TensorFlow."""

import os

# TensorFlow and Keras read these when they are imported, which may be before `training.configured_keras` is.
os.environ["KERAS_BACKEND"] = "tensorflow"
for _variable in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "TF_USE_LEGACY_KERAS"):
    os.environ.pop(_variable, None)
