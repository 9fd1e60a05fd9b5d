"""Parts at their services: the gateway keeps only the loop, the journal and the trace.

A run's session at the tools service has the run's id. The service keeps what each of its calls did, so after a
gateway was killed the next one has it take back what no stored step speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.agent.options import EpisodeResult
from hybrid_agent.assemble.agent import Agent, OnChoice, OnStep, Prompts
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.parts import find_parts, hybrid_hash
from hybrid_agent.assemble.pick_up import stored_steps
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.decoder.conversation import Completer
from hybrid_agent.errors import InputError
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.types import SetupItem, Step
from services.clients import Services, ToolboxClient
from services.gateway.artifacts import told as list_of
from services.gateway.diffs import told
from services.gateway.events import DiffData
from services.gateway.parts import About, Episode, Worker, options_of
from services.gateway.places import Place
from services.gateway.problems import ApiError
from services.gateway.requests import ArtifactList, RunRequest
from services.load import needed


class ServedParts:
    """Implements `services.gateway.parts.Parts`. Safe to use from several threads."""

    def __init__(self, config: ServeConfig) -> None:
        self.config = config
        self.spec = find_parts(parse_decoder(config.decoder), config.hybrid, config.overrides(), Path(config.trained))
        self.services = Services.from_config(config, needed(self.spec))

    def about(self, name: str | None) -> About:
        """See `Parts`. The services have one set of parts."""
        if name is not None:
            what = "the parts are those that the services were started with"
            raise InputError(what, field="hybrid", fix="leave it out")
        return About(str(self.spec.decoder), str(self.spec), hybrid_hash(self.spec))

    def worker(self) -> Worker:
        """See `Parts`."""
        return Worker()

    def ready(self, worker: Worker) -> None:
        """See `Parts`: the services load what they need."""

    @contextmanager
    def episode(self, worker: Worker, run: RunDir, request: RunRequest, prompts: Prompts) -> Iterator[Episode]:
        """See `Parts`."""
        info = run.info()
        toolbox = self.services.open(
            run.run_id,
            goal=info.goal,
            setup=[SetupItem(path=path, text=text) for path, text in request.files.items()],
            approve=info.approve,
            ask=prompts.approve,
        )
        hybrid = self.services.hybrid(self.spec, run.run_id)
        options = options_of(info, self.config.gateway.runs)
        with Agent(run, hybrid, toolbox.sandbox, toolbox, options) as agent:  # type: ignore[arg-type]
            yield ServedEpisode(agent, info.goal)

    def place(self, run: RunDir) -> Place:
        """See `Parts`."""
        return ServedPlace(self.services.toolbox(run.run_id))

    def forget(self, run: RunDir) -> None:
        """See `Parts`. Served runs have no memory."""

    def completer(self) -> Completer:
        """See `Parts`."""
        return self.services.decoder(scores=False)

    def close(self) -> None:
        """See `Parts`."""
        self.services.close()


class ServedEpisode:
    """Implements `services.gateway.parts.Episode`; the session was opened with its files."""

    def __init__(self, agent: Agent, goal: str) -> None:
        self.agent, self.goal = agent, goal

    @property
    def speculation(self) -> Mapping[str, int]:
        """Counted at the decoder service, not here."""
        return {}

    def pick_up(self) -> Sequence[Step] | None:
        """See `Episode`. The workspace is put right by `Toolbox.resume`, when the loop goes on."""
        return stored_steps(self.agent.dir) if self.agent.dir.trace.exists() else None

    def fill(self, files: Mapping[str, str]) -> None:
        """The session has them."""

    def run(self, on_choice: OnChoice, on_step: OnStep, done: Sequence[Step] | None) -> EpisodeResult:
        """See `Episode`."""
        return self.agent.run(self.goal, on_step, on_choice, done)

    def settle(self, result: EpisodeResult) -> Sequence[str]:
        """See `Episode`. Served runs have no memory."""
        return ()


class ServedPlace:
    """Implements `services.gateway.places.Place`."""

    def __init__(self, toolbox: ToolboxClient) -> None:
        self._toolbox = toolbox

    def artifacts(self) -> ArtifactList:
        """See `Place`."""
        return list_of(*self._toolbox.listed())

    def read(self, path: str, cap: int) -> bytes:
        """See `Place`."""
        try:
            data = self._toolbox.workspace.read(path)
        except (ToolFailure, InputError) as failure:
            raise ApiError(404, str(failure), param="path", code="not_found") from None
        if len(data) > cap:
            raise ApiError(413, f"more than the {cap} bytes that can be read", param="path", code="too_large")
        return data

    def diff(self) -> DiffData:
        """See `Place`."""
        return told(self._toolbox.changes())

    def roll_back(self, to: str | None) -> str | None:
        """See `Place`."""
        return self._toolbox.roll_back(to)
