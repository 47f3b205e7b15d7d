"""Files to arrays and tables; the only reader and writer of pictures."""
