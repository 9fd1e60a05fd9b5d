"""Schema of `configs/pipeline.yaml`: the stages that make a whole bundle, one after the other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.types import Record

Module = Literal[
    "train.run",
    "train.rollouts.build",
    "train.shaping",
    "eval.schedule",
    "eval.worth",
    "train.export",
]


class StepConfig(Record):
    """One stage: `python -m MODULE ARGUMENTS`.

    Arguments may hold {name}, {profile}, {runs}, and another step's result: {sft} is its run (sft/tiny) or folder,
    {sft.path} the folder of its newest complete attempt. A step needs all steps that it speaks of.

    `made` is the run (stage/name) or folder that it leaves. `parents` maps keys of its manifest to the steps whose
    hash they hold (`data`: the manifest's data hash): if one of these has changed, the stage is made again. `part` is
    the name under which the bundle takes it. `minutes` is a guess for two cores. `off` leaves the step out.
    """

    module: Module
    made: str = Field(min_length=1)
    arguments: tuple[str, ...] = ()
    parents: dict[str, str] = Field(default_factory=dict)
    part: str | None = None
    minutes: float = Field(default=1.0, ge=0)
    off: bool = False


class PipelineConfig(Record):
    """`start` (written from=) and `until` limit the steps, `skip` leaves some out, `anew` makes some again.

    `dest` is where the bundle goes; null: among the package's bundles, by its name.
    """

    profile: ProfileConfig
    name: str = Field(default="tiny", min_length=1, pattern=r"^[\w-]+$")
    runs: str = Field(default="runs", min_length=1)
    dest: str | None = None
    start: str | None = None
    until: str | None = None
    skip: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    rl: bool = False
    steps: dict[str, StepConfig]

    @model_validator(mode="after")
    def _known(self) -> PipelineConfig:
        for name in (*filter(None, (self.start, self.until)), *self.skip, *self.anew):
            if name not in self.steps:
                raise ValueError(f"no step {name!r}; use one of {', '.join(self.steps)}")
        for name, step in self.steps.items():
            for parent in step.parents.values():
                if parent not in self.steps:
                    raise ValueError(f"step {name!r} has an unknown parent {parent!r}")
        return self


SCHEMA = PipelineConfig
