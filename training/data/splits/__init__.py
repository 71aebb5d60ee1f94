"""Which rows are for training, validation, certification and test, and how many labels have in each."""
