"""What a person may set for one repair."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record

Order = Literal["energy", "operator", "random"]


class RepairOptions(Record):
    """Knobs of `agent.repair`; sizes in test runs, times in seconds.

    Attributes:
        budget: most test runs, the three that look at the unchanged code included.
        order: how candidates are ordered: by the trained energy, by operator, or at random (for comparison).
        adapt: let what each tried edit did to the tests move the edits near it.
        probe: spend one test run of the unchanged code on what each candidate would change (order "energy" only).
        pairs: also try patches of two edits when no single one is enough.
        confirm: test runs spent after the first patch that passes, to see whether others pass as well.
        candidates: most candidates that are ranked.
        per_test_s: a single test that takes longer has failed (an endless loop).
        timeout_s: the same for a whole test run.
        include: glob patterns of files that may be edited; empty: every Python file that is not protected.
        allow: glob patterns of protected files (tests, build, configuration) that may be edited after all.
        python: the interpreter inside the sandbox.
        paths: folders inside the sandbox that are put on PYTHONPATH, after the copy itself.
        seed: of the random order and of the decoder.
    """

    budget: int = Field(default=60, ge=1)
    order: Order = "energy"
    adapt: bool = True
    probe: bool = True
    pairs: bool = True
    confirm: int = Field(default=3, ge=0)
    candidates: int = Field(default=3000, ge=1)
    per_test_s: float = Field(default=10.0, gt=0)
    timeout_s: float = Field(default=120.0, gt=0)
    include: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    python: str = "python3"
    paths: tuple[str, ...] = ()
    seed: int = 0
