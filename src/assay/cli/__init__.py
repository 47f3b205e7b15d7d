"""The command line: arguments in, tasks out; the only place that prints or exits.

Results go to standard output, progress and errors to standard error. Exit 0: fine; 1: files are broken; 2: bad input.
"""

from . import augment, denoise, folders, group, learning, likeness, networks, pictures, rating, restore, trust
from .terminal import app

__all__ = [
    "app",
    "augment",
    "denoise",
    "folders",
    "group",
    "learning",
    "likeness",
    "main",
    "networks",
    "pictures",
    "rating",
    "restore",
    "trust",
]


def main() -> None:
    """Start the command line."""
    app()
