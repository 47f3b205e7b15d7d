"""Experience in, values and policies out: temporal differences and Monte Carlo. Knows nothing of pictures."""
