"""Load, chaos and scale of the served agent: `python -m services.bench.NAME`."""
