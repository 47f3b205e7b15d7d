"""Draw results: plots, galleries, one offline page."""
