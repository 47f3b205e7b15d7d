"""One verb per module: plain arguments in, one frozen result out."""
