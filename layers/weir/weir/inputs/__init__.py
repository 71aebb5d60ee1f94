"""From the values of a request, a file or a data set to the arrays that networks read.

Each kind of input (`weir.catalog.inputs`) has a file here, and in it a reader with the same verbs, those of
`reader.Reader`: `picture.py`, `tensor.py`. A further kind (`table.py`, `text.py`) is a file with its reader, and a case
in `reader.reader`, the one place that distinguishes kinds.
"""
