"""Where the parts of a hybrid lie: beside the decoder, or where the person says; and which of them are used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hybrid_agent.assemble.decoders import DecoderSpec, bundle_folder, decoder_hash
from hybrid_agent.config.hybrid import HybridConfig, Thresholds, thresholds
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import MANIFEST

ResolvedMode = Literal["greedy", "sample", "logprob", "mean_logprob", "energy", "adaptive"]

# Part -> where it lies in a bundle or run folder, and the command that makes it.
PLACES = {
    "scorer": ("scorer", "make train-stage STAGE=ebm"),
    "planner": ("planner", "make train-stage STAGE=hrm"),
    "experts": ("experts", "make train-stage STAGE=aoe"),
    "draft": ("draft", "python -m train.run stage=sft name=draft stage.tokenizer=RUN_OF_THE_DECODER"),
    "shaping": ("shaping", "python -m train.shaping"),
    "gate": ("gate.json", "make train-stage STAGE=gate"),
}
PARTS = tuple(PLACES)
COMMANDS = {name: command for name, (_, command) in PLACES.items()} | {"tuned": "python -m eval.schedule contexts=..."}


@dataclass(frozen=True)
class HybridSpec:
    """A hybrid that could be loaded: cheap to make and to send to another process.

    Attributes:
        decoder: which decoder.
        config: the switches as given.
        mode: the mode, `auto` decided.
        parts: the parts that are used, with their places. Experts that nobody is routed to are not among them, nor is
            shaping of strength 0.
        rules: the thresholds in force.
    """

    decoder: DecoderSpec
    config: HybridConfig = field(default_factory=lambda: HybridConfig(mode="greedy"))
    mode: ResolvedMode = "greedy"
    parts: Mapping[str, Path] = field(default_factory=dict)
    rules: Thresholds = field(default_factory=Thresholds)

    def identity(self) -> dict[str, Any]:
        """What decides results: mode, thresholds, switches, and a hash of each part in use."""
        return {
            "mode": self.mode,
            "parts": {name: part_hash(path) for name, path in sorted(self.parts.items())},
            "rules": self.rules.model_dump(),
            **self.config.model_dump(include={"k", "constrained", "draw"}),
        }

    def __str__(self) -> str:
        used = "+".join(name for name in PARTS if name in self.parts)
        return f"{self.mode}{f' ({used})' if used else ''}"


def find_parts(
    decoder: DecoderSpec,
    config: HybridConfig,
    overrides: Mapping[str, str | None] | None = None,
    runs: Path = Path("runs"),
) -> HybridSpec:
    """Decide which parts are used and where they lie, without loading any.

    Args:
        decoder: parts lie beside it, if it is a folder.
        config: the switches. `auto` takes what is there.
        overrides: part (or `tuned`, for hybrid.json) -> run or folder to take it from instead.
        runs: where runs named in `overrides` lie.

    Raises:
        InputError: a part that is on is missing, a named run does not hold it, or hybrid.json is damaged.
    """
    given = {name: where for name, where in (overrides or {}).items() if where}
    base = base_folder(decoder)
    found = {}
    for name in PARTS:
        switch = getattr(config, name)
        if switch == "off":
            continue
        path = _named(name, given[name], runs) if name in given else _beside(base, PLACES[name][0])
        if path is not None:
            found[name] = path
        elif switch == "on":
            raise missing(name, base)
    mode = config.mode
    if mode == "auto":
        mode = "adaptive" if "scorer" in found else "greedy"
    if mode == "energy" and "scorer" not in found:
        raise missing("scorer", base)
    tuned = _run_or_folder("tuned", given["tuned"], runs) if "tuned" in given else base
    rules = thresholds(config, tuned)
    idle = {"experts": not rules.route, "shaping": rules.alpha == 0}
    used = {name: path for name, path in found.items() if not idle.get(name)}
    return HybridSpec(decoder, config, mode, used, rules)


def missing(name: str, base: Path | None) -> InputError:
    """What to say when a part that was asked for is not there."""
    place, command = PLACES[name]
    where = str(base / place) if base is not None else None
    fix = f"make it: {command}, then name the run: {name}=RUN; or switch it off: hybrid.{name}=off"
    return InputError(f"the {name} is not there", where=where, field=f"hybrid.{name}", fix=fix)


def base_folder(decoder: DecoderSpec) -> Path | None:
    """The folder beside whose decoder other parts may lie; None for a server or a script."""
    if decoder.kind == "tiny":
        return bundle_folder()
    return decoder.folder


def part_hash(path: Path) -> str:
    """What identifies a part: its manifest if it has one of its own, else the content of its files."""
    if path.is_file():
        return file_hash(path)
    if (path / MANIFEST).is_file():
        return file_hash(path / MANIFEST)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {file_hash(file)}\n".encode())
    return digest.hexdigest()


def hybrid_hash(spec: HybridSpec) -> str:
    """A short name of decoder and parts together, for traces."""
    text = decoder_hash(spec.decoder) + repr(sorted(spec.identity().items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _named(name: str, where: str, runs: Path) -> Path:
    folder = _run_or_folder(name, where, runs)
    if folder.is_file():
        return folder
    place = PLACES[name][0]
    inside = _beside(folder, place)
    if inside is not None:
        return inside
    if name == "draft":
        return folder  # any decoder's run with the same tokenizer will do
    if place.endswith(".json") or (folder / MANIFEST).is_file():
        fix = f"name a run that made it: {PLACES[name][1]}"
        raise InputError(f"no {place} in it", where=str(folder), field=name, fix=fix)
    return folder  # the part's own folder


def _run_or_folder(name: str, where: str, runs: Path) -> Path:
    path = Path(where).expanduser()
    if path.exists():
        return path.absolute()
    try:
        return find_run(runs, where).absolute()
    except InputError as error:
        raise InputError(error.what, where=error.where, field=name, fix=f"make it: {COMMANDS[name]}") from None


def _beside(base: Path | None, place: str) -> Path | None:
    return base / place if base is not None and (base / place).exists() else None
