"""Arrays in, arrays or numbers out: no files, no state."""
