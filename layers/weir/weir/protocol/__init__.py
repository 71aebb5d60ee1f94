"""Bytes <-> tensors: the Open Inference Protocol (V2 REST) with its binary tensors, TensorFlow Serving's predict."""
