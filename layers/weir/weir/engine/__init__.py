"""How levels answer a batch of rows: decisions over NumPy arrays, without files, networks or HTTP."""
