"""From the config to a running service, with the parts it serves and those it calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import load_decoder, load_gate, load_part, load_planner, make_scheduler
from hybrid_agent.assemble.parts import HybridSpec, base_folder, find_parts, hybrid_hash, missing
from hybrid_agent.assemble.rundir import runs_root
from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.load import load_config
from hybrid_agent.config.serve import Name, ServeConfig
from hybrid_agent.types import Segment, ToolCall, Verdict
from services.address import address_of
from services.guard import Observer
from services.server import Register, Running, run_until_signal, start
from services.spans import record


def load_serve(overrides: Sequence[str]) -> ServeConfig:
    """configs/serve.yaml with overrides.

    Raises:
        InputError: an override or the file is wrong.
    """
    return load_config("serve", overrides, ServeConfig)


def spec_of(config: ServeConfig) -> HybridSpec:
    """Which parts are used and where they lie; loads none.

    Raises:
        InputError: a part that is on is missing.
    """
    return find_parts(parse_decoder(config.decoder), config.hybrid, config.overrides(), Path(config.trained))


def needed(spec: HybridSpec) -> tuple[Name, ...]:
    """The services that these parts need."""
    names: list[Name] = ["tools"]
    if "scorer" in spec.parts:
        names.append("scorer")
    if "planner" in spec.parts or spec.mode == "adaptive":
        names.append("planner")
    return (*names, "decoder")


def start_service(name: Name, config: ServeConfig, observe: Observer | None = None) -> Running:
    """Load a service's parts and listen.

    Raises:
        InputError: a part is missing or damaged, or the address cannot be used.
    """
    spec = spec_of(config)
    about = {"model": hybrid_hash(spec), "hybrid": str(spec)}
    address = address_of(config.services, name)
    register = _LOADERS[name](config, spec, about)
    return start(register, address, config.services.one(name).limits, config.services.auth, observe)


def main(name: Name) -> None:
    """`python -m services.NAME [key=value ...]`."""

    def run() -> None:
        config = load_serve(sys.argv[1:])
        record(config.gateway.telemetry, name)
        run_until_signal(start_service(name, config))

    guarded(run)


def _decoder(config: ServeConfig, spec: HybridSpec, about: dict[str, Any]) -> Register:
    from services import decoder as service
    from services.clients import Services

    decoder: Any = load_decoder(spec)
    completer: Any = decoder if hasattr(decoder, "complete") else None
    if spec.decoder.kind in ("tiny", "hf"):
        from hybrid_agent.decoder.batch import BatchedDecoder
        from hybrid_agent.decoder.completion import HfCompleter

        completer = HfCompleter.beside(decoder)
        decoder = BatchedDecoder(decoder)
    scorers = None
    if "scorer" in spec.parts:
        scorers = Services.from_config(config, ("scorer",)).scorer
    made = service.DecoderService(decoder, scorers, completer, about)
    return lambda server: service.register(made, server)


def _scorer(config: ServeConfig, spec: HybridSpec, about: dict[str, Any]) -> Register:
    from hybrid_agent.scorer.batch import BatchedScorer
    from services import scorer as service
    from services.clients import Services

    _one_thread(spec)
    scorer: Any = load_part("scorer", spec.parts)
    if scorer is None:
        raise missing("scorer", base_folder(spec.decoder))
    thresholds = {domain: head.threshold for domain, head in scorer.calibration.heads.items()}
    tools = Services.from_config(config, ("tools",))

    def judges(session: str, candidates: Sequence[Segment]) -> Callable[[ToolCall], Verdict]:
        calls = [call for one in candidates if (call := service.call_of(one.text)) is not None]
        verdicts = tools.toolbox(session).previews(calls) if calls else []
        known = {call.model_dump_json(): seen(verdict) for call, verdict in zip(calls, verdicts, strict=True)}
        return lambda call: known[call.model_dump_json()]

    made = service.ScorerService(BatchedScorer(scorer), judges, _shaper(spec), {**about, "thresholds": thresholds})
    return lambda server: service.register(made, server)


def _planner(config: ServeConfig, spec: HybridSpec, about: dict[str, Any]) -> Register:
    from services import planner as service

    _one_thread(spec)
    make = None
    if "planner" in spec.parts:
        load_planner(spec)  # a damaged one is told of now

        def make() -> Any:
            return load_planner(spec)

    limits = config.services.planner.limits
    made = service.PlannerService(make, make_scheduler(spec), most=limits.sessions, about=about)
    return lambda server: service.register(made, server)


def _tools(config: ServeConfig, spec: HybridSpec, about: dict[str, Any]) -> Register:
    from hybrid_agent.assemble.memory import memory_config, memory_folder, open_memory
    from services import memory as memory_service
    from services import tools as service
    from services.sessions import Sessions

    root = runs_root(Path(config.runs) if config.runs else None)
    limits = config.services.tools.limits
    sessions = Sessions(root, load_gate(spec), most=limits.sessions, idle_s=limits.idle_s)
    made = service.ToolsService(sessions, config.sandbox, about)
    memory = memory_service.MemoryService(open_memory(memory_folder(root), memory_config()))
    return lambda server: [*service.register(made, server), *memory_service.register(memory, server)]


def seen(verdict: Verdict) -> Verdict:
    """A verdict as the scorer is shown it: what a person will be asked about counts as approved."""
    return verdict.model_copy(update={"approval": "granted"}) if verdict.approval == "needed" else verdict


def _shaper(spec: HybridSpec) -> Any:
    base = base_folder(spec.decoder)
    if "shaping" not in spec.parts or base is None:
        return None
    from hybrid_agent.decoder.bundle import DECODER
    from hybrid_agent.decoder.checkpoint import load_checkpoint
    from hybrid_agent.decoder.shaping import Shaper

    model, tokenizer = load_checkpoint(base / DECODER if (base / DECODER).is_dir() else base)
    return Shaper.load(spec.parts["shaping"], model, tokenizer)


def _one_thread(spec: HybridSpec) -> None:
    """As the decoder does in-process for models of a few million parameters."""
    base = base_folder(spec.decoder)
    if base is not None and (base / "decoder").is_dir():
        import torch

        torch.set_num_threads(1)


_LOADERS: dict[Name, Callable[[ServeConfig, HybridSpec, dict[str, Any]], Register]] = {
    "decoder": _decoder,
    "scorer": _scorer,
    "planner": _planner,
    "tools": _tools,
}
