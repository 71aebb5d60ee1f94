"""The promises of a model, one file each, certified on rows that nothing else has used."""
