"""Schema of `configs/memory.yaml`: what memory keeps, for how long, and how it is searched. Loads without numpy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hybrid_agent.types import Record

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0, le=36_500)]


class IndexConfig(Record):
    """The index of vectors. Up to `exact_below` entries are compared one by one, more of them by a FAISS HNSW graph.

    `links` (M), `build_effort` (efConstruction) and `search_effort` (efSearch) are the graph's own settings. `pool` is
    how many of the nearest entries are ranked by score. A graph is made anew once more than `stale` of it is dead.
    """

    exact_below: int = Field(default=4096, ge=0)
    links: int = Field(default=32, ge=4, le=128)
    build_effort: int = Field(default=200, ge=8, le=2000)
    search_effort: int = Field(default=200, ge=8, le=4000)
    pool: int = Field(default=32, ge=1, le=1000)
    stale: Share = 0.25


class SkillConfig(Record):
    """How a skill's strength moves, and from which strength on it is used without the decoder.

    Strength s starts at `start`; success makes it s + `gain` (1 - s), failure s (1 - `loss`). A strength of less than
    `floor` after a failure archives the skill. Unused, it halves every `half_life_days`.
    """

    start: Share = 0.6
    gain: Share = 0.25
    loss: Share = 0.5
    floor: Share = 0.2
    confident: Share = 0.4
    half_life_days: Days = 120.0
    tried: int = Field(default=8, ge=1, le=100)


class MemoryConfig(Record):
    """Score = similarity x freshness x success rate x domain match (design.md, section 7).

    Freshness halves every `half_life_days` since the entry was last of use, but not below `stale_floor`. The success
    rate is (wins + `prior_wins`) / (wins + losses + `prior_wins` + `prior_losses`). Entries of another domain count
    `other_domain`. What scores below `least_score` is not retrieved. Entries expire `ttl_days` after they were last of
    use. `hot_chars` is the size of a window (calls and observations, in characters) above which it is folded.
    `embedder` is `hashed:DIM` or `hf:FOLDER`.
    """

    embedder: str = Field(default="hashed:256", pattern=r"^(hashed:\d{2,4}|hf:.+)$")
    ttl_days: Days = 365.0
    half_life_days: Days = 90.0
    stale_floor: Share = 0.3
    prior_wins: float = Field(default=2.0, gt=0)
    prior_losses: float = Field(default=1.0, gt=0)
    other_domain: Share = 0.6
    least_score: Share = 0.05
    max_note_chars: int = Field(default=8000, ge=16)
    hot_chars: int = Field(default=24_000, ge=1000)
    index: IndexConfig = IndexConfig()
    skills: SkillConfig = SkillConfig()


SCHEMA = MemoryConfig
