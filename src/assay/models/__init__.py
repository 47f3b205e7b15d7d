"""Fit and predict on arrays."""
