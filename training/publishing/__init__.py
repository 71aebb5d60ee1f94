"""Publishing a training folder to a store."""
