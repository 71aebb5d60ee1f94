"""Batch predictions: reading a file of rows, answering it, writing its predictions."""
