"""From files and arrays to the rows that networks read.

Each kind of input (`weir.catalog.inputs`) has a file here with its `Reader`, such as `picture.py`; `reader.reader_for`
chooses it. It reads pictures in a request, rows of a batch file, and the arrays of `weir predict`.

Tensors in a request do not pass through a reader: `weir.protocol` decodes them by the datatype and the shape that every
kind of input has today. A kind whose rows are not one tensor (a table) needs code there, too.
"""
