"""Numbers in, estimates out: knows nothing of pictures."""
