"""Who writes the patch: the patch loop (`local`), the loop with a decoder (`hybrid`), or the data set (`gold`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench.dataset import Row, tests_of
from hybrid_agent.swe.bench.repos import apply_patch, tree

if TYPE_CHECKING:
    from hybrid_agent.protocols import Decoder

LOCAL, HYBRID, GOLD = "local", "hybrid", "gold"
AGENTS = (LOCAL, HYBRID, GOLD)
HIDDEN, GIVEN = "hidden", "given"
ORDERS = ("energy", "operator", "random")
TEST_CMD = "python3 -m pytest -q"


@dataclass(frozen=True)
class AgentSettings:
    """What decides a patch beside the instance.

    Attributes:
        agent: one of AGENTS.
        test_cmd: run at the root of the repository; None: the row's `test_cmd` if it has one, else TEST_CMD.
        budget: test runs an instance.
        tests: `hidden`, as in SWE-bench: the agent sees the base commit and the statement; or `given`: the instance's
            test patch is applied to the agent's copy first and FAIL_TO_PASS are its targets. Never a submission.
        seed: of the agent.
        decoder: of `hybrid`, as in `hybrid-agent run --decoder`.
        python: interpreter of the tests; None: the repository's own environment, else the system's.
        order: of the candidates, one of ORDERS; `energy` needs the trained ranker.
    """

    agent: str
    test_cmd: str | None = None
    budget: int = 40
    tests: str = HIDDEN
    seed: int = 0
    decoder: str = "tiny"
    python: str | None = None
    order: Literal["energy", "operator", "random"] = "energy"

    def identity(self) -> dict[str, Any]:
        """For the settings file; parts that the agent does not use are left out."""
        if self.agent == GOLD:
            return {"agent": GOLD}
        names = ("agent", "test_cmd", "budget", "tests", "python", "order")
        kept = {name: getattr(self, name) for name in names}
        return {**kept, "seed": self.seed} | ({"decoder": self.decoder} if self.agent == HYBRID else {})


@dataclass(frozen=True)
class Solution:
    """A patch (or none) with the agent's own word for it and whatever a trace should keep."""

    patch: str
    status: str
    reason: str = ""
    test_runs: int = 0
    tokens: int = 0
    trace: dict[str, Any] = field(default_factory=dict)


Solve = Callable[[Row, Path, str], Solution]


def make_agent(settings: AgentSettings) -> Solve:
    """A function of (row, git directory of its repository, commit) that returns a solution.

    Raises:
        InputError: no such agent, or its decoder cannot be had.
    """
    if settings.agent == GOLD:
        return _gold
    if settings.agent not in AGENTS:
        raise InputError(f"no agent {settings.agent!r}", where="--agent", fix="use " + " or ".join(AGENTS))
    decoder = _decoder(settings.decoder) if settings.agent == HYBRID else None

    def solve(row: Row, repository: Path, commit: str) -> Solution:
        return _repair(row, repository, commit, settings, decoder)

    return solve


def checked(settings: AgentSettings) -> AgentSettings:
    """The same settings, or what is wrong with them; loads nothing.

    Raises:
        InputError: an option that cannot be used.
    """
    if settings.agent not in AGENTS:
        raise InputError(f"no agent {settings.agent!r}", where="--agent", fix="use " + " or ".join(AGENTS))
    if settings.tests not in (HIDDEN, GIVEN):
        raise InputError(f"not a setting: {settings.tests!r}", where="--tests", fix=f"use {HIDDEN} or {GIVEN}")
    if settings.order not in ORDERS:
        raise InputError(f"no order {settings.order!r}", where="--order", fix="use " + ", ".join(ORDERS))
    if settings.test_cmd is not None:
        from hybrid_agent.swe.command import read_command, split_command

        read_command(split_command(settings.test_cmd))
    if settings.agent == HYBRID:
        from hybrid_agent.assemble.decoders import parse_decoder

        parse_decoder(settings.decoder)
    return settings


def _gold(row: Row, repository: Path, commit: str) -> Solution:
    patch = row.get("patch")
    if not isinstance(patch, str):
        raise InputError("the row has no gold patch", where=row["instance_id"], field="patch")
    return Solution(patch, "gold", "the data set's own patch")


def _decoder(text: str) -> Decoder:
    from hybrid_agent.assemble.decoders import make_decoder, parse_decoder

    return make_decoder(parse_decoder(text))


def _repair(row: Row, repository: Path, commit: str, settings: AgentSettings, decoder: Decoder | None) -> Solution:
    from hybrid_agent.assemble.swe import repair_sandbox
    from hybrid_agent.swe.agent import repair
    from hybrid_agent.swe.command import split_command
    from hybrid_agent.swe.options import RepairOptions

    given = settings.tests == GIVEN
    said: list[str] = []
    with tree(repository, commit) as folder:
        if given and row.get("test_patch"):
            apply_patch(str(row["test_patch"]), folder)
        sandbox = repair_sandbox(settings.python, folder)
        result = repair(
            folder,
            split_command(settings.test_cmd or str(row.get("test_cmd") or TEST_CMD)),
            sandbox.make,
            options=RepairOptions(
                budget=settings.budget,
                order=settings.order,
                seed=settings.seed,
                python=sandbox.python,
                paths=sandbox.paths,
            ),
            statement=str(row["problem_statement"]),
            targets=_targets(row) if given else (),
            decoder=decoder,
            report=said.append,
        )
    body = result.model_dump(mode="json")
    tokens = body.get("evidence", {}).get("tokens", 0)
    return Solution(
        result.patch,
        result.status,
        result.explanation,
        result.runs,
        tokens if isinstance(tokens, int) else 0,
        {"said": said, "result": body},
    )


def _targets(row: Row) -> list[str]:
    """FAIL_TO_PASS where these are ids of pytest; other runners' names are those of a log, not of a test."""
    names = tests_of(row, "FAIL_TO_PASS") if row.get("FAIL_TO_PASS") is not None else []
    return names if all("::" in name for name in names) else []
