"""Keras as Weir needs it, whatever the environment and keras.json say: `from training.configured_keras import keras`.

Weir's networks are trained with TensorFlow, in float32, and have the channels last. The variables that Keras reads when
it is imported, by TensorFlow or here, are set in `training`.
"""

from weir.errors import BadInput

try:
    import keras
except (ValueError, AttributeError, TypeError, OSError) as exc:
    raise BadInput("Keras reads its keras.json, in ~/.keras or KERAS_HOME", exc) from exc

if keras.config.backend() != "tensorflow":
    raise BadInput("Weir trains with Keras on TensorFlow: set KERAS_BACKEND=tensorflow", keras.config.backend())
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")
keras.config.set_dtype_policy("float32")

__all__ = ["keras"]
