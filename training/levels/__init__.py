"""How levels are made: trained, made better, decomposed, fused, and described."""
