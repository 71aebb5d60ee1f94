"""Loaded networks and models: the TFLite interpreter, one version of a model, the registry of models."""
