"""Score = similarity x freshness x success rate x domain match (design.md, section 7)."""

from __future__ import annotations

import re

from hybrid_agent.config.memory import MemoryConfig, SkillConfig

DAY = 86_400.0
_CODE = re.compile(
    r"\.(?:py|pyi|js|ts|c|h|cc|cpp|go|rs|java|rb|ipynb)\b|\b(?:function|functions|class|method|pytest|unittest"
    r"|unit tests?|bug|bugfix|traceback|exception|refactor|module|import|implement|docstring|compile)\b",
    re.IGNORECASE,
)


def domain_of(text: str) -> str:
    """`code` for work on source text, else `os`: what a caller that names no domain gets."""
    return "code" if _CODE.search(text) else "os"


def freshness(age_s: float, config: MemoryConfig) -> float:
    """Halves every `half_life_days` since the entry was last of use, not below `stale_floor`."""
    return max(config.stale_floor, halved(age_s, config.half_life_days))


def success(wins: int, losses: int, config: MemoryConfig) -> float:
    """Mean of the Beta posterior of wins and losses."""
    good = wins + config.prior_wins
    return good / (good + losses + config.prior_losses)


def domain_match(entry: str, wanted: str, config: MemoryConfig) -> float:
    """1 for the same domain, `other_domain` for another."""
    return 1.0 if entry == wanted else config.other_domain


def halved(age_s: float, half_life_days: float) -> float:
    """0.5 ^ (age / half-life); 1 for what lies in the future."""
    return float(0.5 ** (max(age_s, 0.0) / DAY / half_life_days))


def strength_now(strength: float, age_s: float, config: SkillConfig) -> float:
    """A skill's strength after `age_s` seconds without use."""
    return strength * halved(age_s, config.half_life_days)


def strengthened(strength: float, ok: bool, config: SkillConfig) -> float:
    """The strength after one use."""
    return strength + config.gain * (1 - strength) if ok else strength * (1 - config.loss)
