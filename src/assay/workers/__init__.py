"""Run one pure function over many items."""
