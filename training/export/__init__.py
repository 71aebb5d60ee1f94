"""From a trained network to a quantized .tflite: converted, measured, chosen."""
