"""Where rows come from, and what happens to them before training."""
