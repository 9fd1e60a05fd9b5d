"""Hybrid presets by name (configs/hybrid/NAME.yaml)."""

from __future__ import annotations

from hybrid_agent.config.hybrid import HybridConfig

AUTO = "auto"


def preset(name: str) -> HybridConfig:
    """The preset of that name; `auto` needs no files, so that an installed package works without its checkout.

    Raises:
        InputError: there is no such preset; names the nearest.
    """
    if name == AUTO:
        return HybridConfig()
    from hybrid_agent.config.eval import EvalConfig
    from hybrid_agent.config.load import load_config

    return load_config("eval", [f"hybrid={name}"], EvalConfig).hybrid
