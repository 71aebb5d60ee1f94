"""From the columns of files to inputs and labels: which columns are read, as what, and how they are encoded."""
