"""From the values of a request, a file or a data set to the arrays that networks read."""
