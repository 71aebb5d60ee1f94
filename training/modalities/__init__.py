"""What is particular to each kind of input in training; a package for each, such as `picture`, with the same modules.

```
reading        from the arrays of a data source to the input that a model reads
cleaning       which rows are unusable, and which values never change
augmentation   random changes to the rows of a batch, and the variants of a row that they make
architectures  networks by name
samples        a row as a file that a person can look at
```

A table would be `modalities/table/` with these modules, and a text `modalities/text/`. `training.data.cleaning`,
`training.learning`, `training.client.samples` and the data sources call them, and know nothing of pixels themselves.
"""
