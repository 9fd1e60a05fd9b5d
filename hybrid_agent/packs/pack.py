"""A task pack on disk: its settings and its intents."""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hybrid_agent.errors import InputError
from hybrid_agent.packs.draw import held_out
from hybrid_agent.packs.family import Intent
from hybrid_agent.types import Record, Split

SPLITS: tuple[Split, ...] = ("val", "test_names", "test_paraphrase", "test_composition")
ROOT_VARIABLE = "AGENT_DATA"


class PackSettings(Record):
    """pack.yaml. `lengths` are weights of goals with 1, 2, ... steps in training; `composition` says what
    `test_composition` holds out: pairs of steps and a length, or cells within one step."""

    name: str
    description: str
    families: str
    composition: str = Field(pattern="^(steps|cells)$")
    lengths: tuple[float, ...] = Field(min_length=1)
    held_length: int | None = None
    counts: dict[Split, int]


class Pack:
    """Settings and intents of one pack folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "pack.yaml"
        if not path.is_file():
            known = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/pack.yaml"))) or "none"
            raise InputError("no such task pack", where=str(folder), fix=f"use one of: {known}")
        try:
            self.settings = PackSettings.model_validate(YAML(typ="safe").load(path.read_text()))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(p) for p in first["loc"])
            raise InputError(first["msg"], where=str(path), field=field, fix="see docs/packs.md") from None
        except YAMLError as error:
            raise InputError(f"not YAML: {error}", where=str(path), fix="mend the syntax") from None

    @cached_property
    def intents(self) -> tuple[Intent, ...]:
        """Every intent, in a stable order."""
        package = importlib.import_module(self.settings.families)
        found: list[Intent] = []
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
            module = importlib.import_module(f"{self.settings.families}.{info.name}")
            found.extend(getattr(module, "INTENTS", ()))
        return tuple(found)

    def pairs(self, held: bool) -> Iterator[tuple[Intent, Intent]]:
        """Ordered pairs of combinable intents which are (or are not) reserved for test_composition."""
        free = [i for i in self.intents if not i.solo]
        for a in free:
            for b in free:
                if a is not b and self.pair_held(a, b) == held:
                    yield a, b

    def pair_held(self, a: Intent, b: Intent) -> bool:
        """True if b directly after a is reserved for test_composition."""
        return held_out(self.settings.name, a.name, b.name)

    def pick(self, rng: random.Random, split: Split, length: int) -> list[Intent]:
        """Draw the intents of one goal, respecting which adjacent pairs the split may use."""
        if length == 1:
            pool = [i for i in self.intents if i.cells] if split == "test_composition" else list(self.intents)
            return rng.choices(pool, [i.weight for i in pool])
        free = [i for i in self.intents if not i.solo]
        weights = [i.weight for i in free]
        want_held = split == "test_composition" and self.settings.composition == "steps"
        for _ in range(5000):
            drawn = rng.choices(free, weights, k=length)
            held = [self.pair_held(a, b) for a, b in pairwise(drawn)]
            if len({i.name for i in drawn}) == length and any(held) == want_held:
                return drawn
        raise AssertionError(f"pack {self.settings.name}: no combination of {length} steps fits {split}")


def packs_root() -> Path:
    """The folder of task packs: $AGENT_DATA, else the one beside the package."""
    named = os.environ.get(ROOT_VARIABLE)
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "task_packs"
    if not root.is_dir():
        raise InputError("no such folder of task packs", where=str(root), fix=f"set {ROOT_VARIABLE} to task_packs")
    return root


def load_pack(name: str) -> Pack:
    """The pack of that name under `packs_root()`."""
    return Pack(packs_root() / name)


def pack_names() -> list[str]:
    """All packs, sorted."""
    return sorted(p.parent.name for p in packs_root().glob("*/pack.yaml"))
