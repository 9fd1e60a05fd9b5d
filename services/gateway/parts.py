"""The agent's parts as the gateway uses them: loaded into this process, or called at their services."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hybrid_agent.agent.options import EpisodeResult
from hybrid_agent.assemble.agent import Agent, AgentOptions, OnChoice, OnStep, Prompts, assemble_agent
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.memory import memory_config, memory_folder, open_memory, remembering
from hybrid_agent.assemble.parts import HybridSpec, find_parts, hybrid_hash
from hybrid_agent.assemble.pick_up import pick_up
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.rundir import RunDir, RunInfo, runs_root
from hybrid_agent.config.gateway import GatewayRuns
from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.decoder.conversation import Completer
from hybrid_agent.errors import InputError
from hybrid_agent.types import SetupItem, Step
from services.gateway.places import LocalPlace, Place
from services.gateway.requests import RunRequest
from services.workspace import populate

if TYPE_CHECKING:
    from hybrid_agent.assemble.recall import Recall
    from hybrid_agent.memory.store import ColdMemory

KEPT = 2  # hybrids of different presets that a worker keeps


@dataclass(frozen=True)
class About:
    """What a run's record says of its agent; see `RunInfo`."""

    decoder: str
    hybrid: str
    model: str


@dataclass
class Worker:
    """What belongs to one thread that works on runs: parts that only it uses."""

    hybrids: dict[str, Hybrid] = field(default_factory=dict)


class Episode(Protocol):
    """One run with its parts and its sandbox."""

    @property
    def speculation(self) -> Mapping[str, int]:
        """Speculated tokens of this episode: `proposed` and `accepted`."""
        ...

    def pick_up(self) -> Sequence[Step] | None:
        """The stored steps of a run that was begun before, its workspace as they left it; None: it is a new one.

        Raises:
            InputError: it cannot be gone on with.
        """
        ...

    def fill(self, files: Mapping[str, str]) -> None:
        """Put the files into the fresh workspace."""
        ...

    def run(self, on_choice: OnChoice, on_step: OnStep, done: Sequence[Step] | None) -> EpisodeResult:
        """See `hybrid_agent.assemble.agent.Agent.run`."""
        ...

    def settle(self, result: EpisodeResult) -> Sequence[str]:
        """Once everything else is closed: let the memory learn from it; what to tell a person, a line each."""
        ...


class Parts(Protocol):
    """Where runs and chats get what they need."""

    def about(self, name: str | None) -> About:
        """What a run with this preset (None: the server's own) would be worked on by.

        Raises:
            InputError: there is no such preset, or parts that it needs are missing.
        """
        ...

    def worker(self) -> Worker:
        """For one more thread."""
        ...

    def ready(self, worker: Worker) -> None:
        """Load what a worker needs (seconds), so that the first run need not wait for it."""
        ...

    def episode(
        self, worker: Worker, run: RunDir, request: RunRequest, prompts: Prompts
    ) -> AbstractContextManager[Episode]:
        """The parts around one run."""
        ...

    def place(self, run: RunDir) -> Place:
        """A run's workspace, to be looked at and rolled back."""
        ...

    def forget(self, run: RunDir) -> None:
        """A person took the whole run back, so the memory must not keep what it taught."""
        ...

    def completer(self) -> Completer:
        """For one thread that answers chats.

        Raises:
            InputError: this decoder cannot.
        """
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class LocalParts:
    """Parts in this process. Every worker has its own, as none of them serves two episodes at a time."""

    def __init__(self, config: ServeConfig) -> None:
        self.config = config
        self._loading = threading.Lock()  # imports and shared caches are not made for several threads at once
        self._specs = {"": self._find(None)}
        self._memory: ColdMemory | None = None
        if config.gateway.runs.memory:
            root = runs_root(Path(config.runs) if config.runs else None)
            self._memory = open_memory(memory_folder(root), memory_config())

    def about(self, name: str | None) -> About:
        """See `Parts`."""
        spec = self._spec(name)
        return About(str(spec.decoder), str(spec), hybrid_hash(spec))

    def worker(self) -> Worker:
        """See `Parts`."""
        return Worker()

    def ready(self, worker: Worker) -> None:
        """See `Parts`."""
        self._hybrid(worker, None)

    @contextmanager
    def episode(self, worker: Worker, run: RunDir, request: RunRequest, prompts: Prompts) -> Iterator[Episode]:
        """See `Parts`."""
        info, limits = run.info(), self.config.gateway.runs
        options = options_of(info, limits)
        hybrid = self._hybrid(worker, request.hybrid)
        recall = remembering(self._memory, info.goal)
        with assemble_agent(
            run,
            hybrid=hybrid if recall is None else recall.into(hybrid),
            workspace=Path(info.workspace),
            sandbox=info.sandbox,
            options=options,
            prompts=prompts,
        ) as agent:
            yield LocalEpisode(agent, info.goal, recall)

    def place(self, run: RunDir) -> Place:
        """See `Parts`."""
        return LocalPlace(run)

    def forget(self, run: RunDir) -> None:
        """See `Parts`."""
        if self._memory is not None:
            from hybrid_agent.assemble.recall import forget_run

            forget_run(self._memory, run)

    def completer(self) -> Completer:
        """See `Parts`."""
        decoder = self._specs[""].decoder
        if decoder.kind == "openai":
            from services.gateway.upstream import UpstreamCompleter

            return UpstreamCompleter(decoder.target)
        if decoder.kind == "script":
            raise InputError("this decoder is a script and cannot chat", field="model")
        with self._loading:
            from hybrid_agent.assemble.decoders import make_decoder
            from hybrid_agent.decoder.completion import HfCompleter

            loaded: Any = make_decoder(decoder)
            return HfCompleter.beside(loaded)

    def close(self) -> None:
        """See `Parts`."""
        if self._memory is not None:
            self._memory.close()

    def _hybrid(self, worker: Worker, name: str | None) -> Hybrid:
        key = name or ""
        hybrid = worker.hybrids.pop(key, None)
        if hybrid is None or hybrid.spec is None or hybrid.spec.decoder.kind == "script":  # a script is read once
            with self._loading:
                hybrid = make_hybrid(self._spec(name))
        worker.hybrids[key] = hybrid  # the one used last stands last
        while len(worker.hybrids) > KEPT:
            del worker.hybrids[next(iter(worker.hybrids))]
        return hybrid

    def _spec(self, name: str | None) -> HybridSpec:
        key = name or ""
        if key not in self._specs:
            self._specs[key] = self._find(name)
        return self._specs[key]

    def _find(self, name: str | None) -> HybridSpec:
        config = self.config
        chosen = config.hybrid if name is None else preset(name)
        return find_parts(parse_decoder(config.decoder), chosen, config.overrides(), Path(config.trained))


def options_of(info: RunInfo, limits: GatewayRuns) -> AgentOptions:
    """As `hybrid-agent run` sets them."""
    return AgentOptions(
        approve=info.approve,
        max_steps=limits.max_steps,
        attempts=limits.attempts,
        seed=info.seed,
        env={"sandbox": info.sandbox, "approve": info.approve},
        provenance={"decoder": info.decoder, "hybrid": info.hybrid, "model": info.model},
    )


class LocalEpisode:
    """Implements `Episode` with an agent of this process."""

    def __init__(self, agent: Agent, goal: str, recall: Recall | None = None) -> None:
        self.agent, self.goal, self._recall = agent, goal, recall
        self._before = self._counts()

    @property
    def speculation(self) -> Mapping[str, int]:
        """See `Episode`."""
        return {name: count - self._before[name] for name, count in self._counts().items()}

    def pick_up(self) -> Sequence[Step] | None:
        """See `Episode`."""
        return pick_up(self.agent.dir) if self.agent.dir.trace.exists() else None

    def fill(self, files: Mapping[str, str]) -> None:
        """See `Episode`. Files that a killed gateway has put there already are written again."""
        items = [SetupItem(path=path, text=text) for path, text in files.items()]
        populate(self.agent.toolbox.workspace, self.agent.sandbox, items)

    def run(self, on_choice: OnChoice, on_step: OnStep, done: Sequence[Step] | None) -> EpisodeResult:
        """See `Episode`."""
        return self.agent.run(self.goal, on_step, on_choice, done)

    def settle(self, result: EpisodeResult) -> Sequence[str]:
        """See `Episode`."""
        return self._recall.settled(self.agent.dir, result) if self._recall is not None else ()

    def _counts(self) -> dict[str, int]:
        stats = getattr(getattr(self.agent.hybrid.decoder, "speculator", None), "stats", None)
        return {name: sum(getattr(stats, name, {}).values()) for name in ("proposed", "accepted")}
