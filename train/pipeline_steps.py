"""One step of the pipeline: its arguments with other steps' results filled in, and whether it is complete already."""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.parts import PLACES, part_hash
from hybrid_agent.config.load import load_config
from hybrid_agent.config.pipeline import PipelineConfig, StepConfig
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.config.schedule import ScheduleConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.config.worth import WorthConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import attempts, find_run
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.traces.provenance import PROVENANCE, read_provenance

# Settings that say how and where something is made, not what.
ASIDE = ("runs", "out", "fresh", "profile", "workers", "fanout", "tracking")
BUILD = "train.rollouts.build"


@dataclass(frozen=True)
class Result:
    """What {step} and {step.path} stand for."""

    reference: str
    folder: bool
    runs: Path

    def __str__(self) -> str:
        return self.reference

    @property
    def path(self) -> str:
        """The folder of the newest complete attempt.

        Raises:
            InputError: there is none yet.
        """
        if self.folder:
            return str(Path(self.reference).absolute())
        return str(find_run(self.runs, self.reference).absolute())


class Steps:
    """The steps of one pipeline, by name."""

    def __init__(self, config: PipelineConfig) -> None:
        self.config, self.runs = config, Path(config.runs)
        self.plain = {"name": config.name, "profile": config.profile.name, "runs": config.runs}

    def result(self, name: str) -> Result:
        """The run or folder that a step leaves."""
        step = self.config.steps[name]
        return Result(step.made.format(**self.plain), step.module == BUILD, self.runs)

    def needs(self, name: str) -> list[str]:
        """The steps whose results a step's arguments speak of."""
        fields = [
            field.split(".")[0]
            for text in self.config.steps[name].arguments
            for _, field, _, _ in string.Formatter().parse(text)
            if field
        ]
        return [step for step in self.config.steps if step in fields]

    def arguments(self, name: str) -> list[str]:
        """The arguments, filled in.

        Raises:
            InputError: a placeholder is unknown, or a result whose path is asked for is not there.
        """
        filled = self.plain | {step: self.result(step) for step in self.config.steps}
        try:
            return [text.format(**filled) for text in self.config.steps[name].arguments]
        except (KeyError, AttributeError, IndexError, ValueError) as error:
            fix = "use {name}, {profile}, {runs}, {STEP} or {STEP.path}"
            raise InputError(f"unknown placeholder: {error}", field=f"steps.{name}.arguments", fix=fix) from None

    def there(self, name: str) -> Path | None:
        """The newest complete result of a step, whatever its settings were."""
        made = self.result(name)
        if made.folder:
            path = Path(made.reference)
            return path if (path / PROVENANCE).is_file() else None
        try:
            return find_run(self.runs, made.reference)
        except InputError:
            return None

    def complete(self, name: str) -> Path | None:
        """The result of a step with these settings and the present parents; None if it has to be made."""
        step, arguments = self.config.steps[name], self.arguments(name)
        wanted = settings_hash(step.module, arguments)
        made = self.result(name)
        if made.folder:
            path = self.there(name)
            return path if path is not None and self._same_build(path, arguments, wanted) else None
        for path in reversed(attempts(self.runs, *made.reference.split("/"))):
            if not (path / MANIFEST).is_file():
                continue
            manifest = read_manifest(path, verify=False)
            if stored_hash(step.module, manifest.config) == wanted and self._same_parents(step, path):
                return path
        return None

    def _same_build(self, path: Path, arguments: list[str], wanted: str) -> bool:
        from hybrid_agent.assemble.decoders import decoder_hash
        from train.rollouts.build import find_decoder

        stored = read_provenance(path)
        settings = load_config("rollouts", arguments, RolloutsConfig)
        decoder = find_decoder(settings.decoder, Path(settings.runs))
        return stored_hash(BUILD, stored.settings) == wanted and stored.decoder_hash == decoder_hash(decoder)

    def _same_parents(self, step: StepConfig, path: Path) -> bool:
        manifest = read_manifest(path, verify=False)
        for key, parent in step.parents.items():
            recorded = manifest.data_hash if key == "data" else manifest.parents.get(key)
            now = self.there(parent)
            if recorded is not None and (now is None or recorded not in hashes(now)):
                return False
        return True


def hashes(path: Path) -> set[str]:
    """All hashes by which a child may have recorded this parent: its manifest, its data, its parts."""
    found = {file_hash(file) for name in (MANIFEST, PROVENANCE) if (file := path / name).is_file()}
    found |= {file_hash(file) for file in path.glob("*.jsonl*")}
    found |= {part_hash(path / place) for place, _ in PLACES.values() if (path / place).exists()}
    return found | ({part_hash(path)} if (path / PROVENANCE).is_file() else set())


def settings_hash(module: str, arguments: list[str]) -> str:
    """The hash of the settings that a command line means.

    Raises:
        InputError: a setting is wrong.
    """
    if module == "train.run":
        return stored_hash(module, load_config("train", arguments, TrainConfig).model_dump(mode="json"))
    if module == BUILD:
        return stored_hash(module, load_config("rollouts", arguments, RolloutsConfig).model_dump(mode="json"))
    if module == "eval.schedule":
        return stored_hash(module, load_config("schedule", arguments, ScheduleConfig).model_dump(mode="json"))
    if module == "eval.worth":
        return stored_hash(module, load_config("worth", arguments, WorthConfig).model_dump(mode="json"))
    return stored_hash(module, dict(argument.split("=", 1) for argument in arguments))


def stored_hash(module: str, config: Mapping[str, Any]) -> str:
    """The hash of stored settings, with what later versions added at its default."""
    body = dict(config)
    try:
        if module == "train.run":
            body = TrainConfig.model_validate(body).model_dump(mode="json")
            if body["stage"]["name"] != "sft":
                body.pop("model")  # only decoders are made from it
        elif module == BUILD:
            body = RolloutsConfig.model_validate(body).model_dump(mode="json")
        elif module == "eval.schedule":
            body = ScheduleConfig.model_validate(body).model_dump(mode="json")
        elif module == "eval.worth":
            body = WorthConfig.model_validate(body).model_dump(mode="json")
        elif module == "train.shaping":
            from train.shaping import ShapingConfig

            body = ShapingConfig.model_validate(body).model_dump(mode="json")
    except ValueError:  # made by a version with other settings: not the same
        return ""
    kept = {key: value for key, value in body.items() if key not in ASIDE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
