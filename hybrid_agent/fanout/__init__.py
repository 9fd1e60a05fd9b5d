"""One way to spread independent work over worker processes, here or on a Ray cluster (docs/fan-out.md)."""
