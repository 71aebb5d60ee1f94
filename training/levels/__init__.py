"""Building the levels of a model: trained, improved, decomposed, fused, and described in a manifest."""
