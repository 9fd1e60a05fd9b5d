"""The demo's goals: what a person types, what lies in the folder, how the result is judged."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Check, Record, SetupItem, Task

GOALS = Path(__file__).with_name("demo_goals.yaml")
MAX_STEPS = 24


class DemoGoal(Record):
    """One goal with its starting files and the judge's checks."""

    id: str
    family: str
    goal: str
    setup: tuple[SetupItem, ...] = ()
    checks: tuple[Check, ...]
    destructive: bool = False

    def task(self) -> Task:
        """As a task without a gold solution: there is none to look at."""
        return Task(
            **self.model_dump(exclude={"setup", "checks"}), setup=self.setup, checks=self.checks, pack="demo",
            template=self.id, intents=(), split="val", gold=(), max_steps=MAX_STEPS,
        )  # fmt: skip


def read_goals(path: Path = GOALS) -> list[DemoGoal]:
    """The goals of a YAML file.

    Raises:
        InputError: naming the entry and the field.
    """
    try:
        entries = TypeAdapter(list[object]).validate_python(YAML(typ="safe").load(path.read_text()))
    except (OSError, YAMLError, ValidationError) as error:
        fix = "write a YAML list of goals"
        raise InputError(f"not a list of goals: {str(error).splitlines()[0]}", where=str(path), fix=fix) from None
    goals = []
    for number, entry in enumerate(entries, 1):
        try:
            goals.append(DemoGoal.model_validate_json(json.dumps(entry, default=str)))
        except ValidationError as error:
            raise explain(error, DemoGoal, where=f"{path}, entry {number}") from None
    return goals
