"""What every handler shares: values, decisions and edges of serving a model."""

__version__ = "0.1.0"
