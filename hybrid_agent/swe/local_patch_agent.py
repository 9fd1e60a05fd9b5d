"""`python -m hybrid_agent.swe.local_patch_agent`: the same as `hybrid-agent fix`."""

from __future__ import annotations

if __name__ == "__main__":
    from importlib import import_module

    # By name: the command line lies above this package, and nothing here may depend on it.
    import_module("hybrid_agent.cli.exits").program(import_module("hybrid_agent.cli.fix").fix)
