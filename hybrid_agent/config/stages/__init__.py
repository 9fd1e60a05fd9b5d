"""One schema a training stage."""
