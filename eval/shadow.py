"""The comparison behind a promotion: both bundles on the same tasks, the lines, and what is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.canary_lines import Line, Shadow, compare, discordant
from eval.episode import limited
from eval.manifest import seal
from eval.overrides import overrides
from eval.rollbacks import goes_back
from eval.stored import Found, all_of
from hybrid_agent.assemble.bundles import named_bundle
from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.canary import CanaryConfig
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.decoder.bundle import load_bundle
from hybrid_agent.errors import InputError
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import find_run, new_attempt
from hybrid_agent.runs.manifest import MANIFEST, Manifest
from hybrid_agent.runs.promotion import POINTER, SHIPPED, Promotions, Served, checked, read_pointer
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Task, ToolCall

STAGE, REPORT = "canary", "report.json"
IDLE = ("plan", "finish", "ask")


@dataclass(frozen=True)
class Side:
    """One of the two bundles. `decoder` is what evaluations call it."""

    folder: Path
    manifest: Manifest
    digest: str

    @property
    def shipped(self) -> bool:
        """Whether it is the one in the package."""
        return self.folder == bundle_folder()

    @property
    def decoder(self) -> str:
        """What evaluations call it."""
        return "tiny" if self.shipped else f"hf:{self.folder}"

    def as_json(self) -> dict[str, str]:
        """For machines: nothing that depends on where it lies."""
        return {"name": f"{self.manifest.stage}/{self.manifest.name}", "manifest": self.digest}


@dataclass(frozen=True)
class Verdict:
    """What came of it; the same for the same bundles, tasks and seed, however often it was interrupted."""

    config: CanaryConfig
    candidate: Side
    serving: Side
    lines: tuple[Line, ...]
    pairs: dict[str, list[str]]
    tasks: dict[str, int]

    @property
    def reasons(self) -> list[str]:
        """Why it may not serve; none: it may."""
        return [
            f"{line.name}: {_shown(line.candidate)} against {_shown(line.serving)}, {line.basis}"
            for line in self.lines
            if not line.holds
        ]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "decision": "refused" if self.reasons else "good enough" if self.config.dry else "promoted",
            "reasons": self.reasons,
            "candidate": self.candidate.as_json(),
            "serving": self.serving.as_json(),
            "tasks": self.tasks,
            "seed": self.config.seed,
            "margin": self.config.margin,
            "lines": [line.as_json() for line in self.lines],
            "pairs": self.pairs,
        }

    def show(self, console: Console) -> None:
        """The table, and what each figure rests on."""
        table = Table("", "candidate", "serving", "", box=None, pad_edge=False)
        for column in table.columns[1:3]:
            column.justify = "right"
        for line in self.lines:
            table.add_row(line.name, _shown(line.candidate), _shown(line.serving), "ok" if line.holds else "WORSE")
        console.print(table)
        for line in self.lines:
            console.print(f"{line.name}: {line.basis}", soft_wrap=True)
        console.print(self.as_json()["decision"])

    def settle(self) -> Path:
        """Write record and journal, and let the candidate serve if it may; returns the record's folder.

        Raises:
            InputError: another bundle was promoted since the comparison began.
        """
        root = Path(self.config.out)
        if self.config.dry:
            return self._record(root)
        with Promotions(root) as book:
            now = book.serving
            if now is not None and not self._against(now):
                raise InputError(
                    "another bundle was promoted meanwhile", where=str(root / POINTER), fix="compare again"
                )
            folder = self._record(root)
            record = folder.relative_to(root).as_posix()
            if self.reasons:
                served = Served(bundle=str(self.candidate.folder), manifest=self.candidate.digest)
                book.refuse(served, against=self.serving.digest, reasons=self.reasons, record=record)
            else:
                start = _served(book, self.serving) if now is None else now
                book.promote(_served(book, self.candidate), start=start, record=record)
        return folder

    def _against(self, now: Served) -> bool:
        """Whether it was compared with what serves now (of the shipped one there is only one, that of this version)."""
        return now.manifest == self.serving.digest or (now.bundle == SHIPPED and self.serving.shipped)

    def _record(self, root: Path) -> Path:
        folder = new_attempt(root, STAGE, self.candidate.manifest.name)
        write_json(folder / REPORT, self.as_json())
        seal(
            folder,
            "eval.canary",
            self.config,
            [REPORT],
            seed=self.config.seed,
            parents={"candidate": self.candidate.digest, "serving": self.serving.digest},
            metrics=self.as_json(),
        )
        return folder


def judge(config: CanaryConfig, console: Console) -> Verdict:
    """Run what is not known yet of both bundles, and compare.

    Raises:
        InputError: there is no candidate, it is not a bundle, or it is what serves already.
        Interrupted: an evaluation was stopped.
    """
    if config.candidate is None:
        raise InputError("which bundle?", field="candidate", fix="name its folder: candidate=FOLDER")
    serving = serving_side(config)
    candidate = _side(config.candidate, config, "candidate")
    if candidate.digest == serving.digest:
        raise InputError("this bundle serves already", where=str(candidate.folder), field="candidate")
    cells = _cells(config)
    sides = {}
    for name, side in (("serving", serving), ("candidate", candidate)):
        console.print(f"{name}: {side.folder}", soft_wrap=True)
        sides[name] = _shadow(side, cells, config, console)
    lines = compare(sides["candidate"], sides["serving"], margin=config.margin, masked=config.masked)
    pairs = discordant(sides["candidate"], sides["serving"])
    tasks = {f"{suite}/{split}": count for (suite, split), count in cells.items()}
    return Verdict(config, candidate, serving, tuple(lines), pairs, tasks)


def serving_side(config: CanaryConfig) -> Side:
    """The bundle to compare with: what the pointer says, else what the config says, else the shipped one.

    Raises:
        InputError: it is gone, or the config names another than the one that serves.
    """
    root = Path(config.out)
    named = _side(config.serving, config, "serving") if config.serving else None
    if not (root / POINTER).is_file():
        return named or _side(SHIPPED, config, "serving")
    folder = checked(read_pointer(root / POINTER).serving, root.absolute())
    now = _read(folder or bundle_folder())
    if named is not None and named.digest != now.digest:
        what = f"{now.folder} serves, not this one"
        raise InputError(what, where=str(named.folder), field="serving", fix="leave serving= out")
    return now


def _side(name: str, config: CanaryConfig, field: str) -> Side:
    try:
        return _read(named_bundle(name, Path(config.out)) or find_run(Path(config.runs), name))
    except InputError as error:
        raise InputError(error.what, where=error.where, field=error.field or field, fix=error.fix) from None


def _read(folder: Path) -> Side:
    folder = folder.absolute()
    return Side(folder, load_bundle(folder).manifest, file_hash(folder / MANIFEST))


def _served(book: Promotions, side: Side) -> Served:
    """How the journal names a bundle: promoted ones are kept, so that a rollback finds them as they were."""
    if side.shipped:
        return Served(bundle=SHIPPED, manifest=side.digest)
    return book.keep(side.folder, side.digest)


def _cells(config: CanaryConfig) -> dict[tuple[str, str], int]:
    """How many tasks of each suite and split: in proportion to what there is, together as many as are asked for."""
    there = {
        (suite, split): len(load_tasks(_evaluation(config, suite).suite.pack, split))
        for suite in config.suites
        for split in config.splits
    }
    total = sum(there.values())
    wanted = min(config.tasks, total)
    exact = {cell: wanted * count / total for cell, count in there.items()} if total else {}
    cells = {cell: int(share) for cell, share in exact.items()}
    rest = sorted(exact, key=lambda cell: cells[cell] - exact[cell])
    for cell in rest[: wanted - sum(cells.values())]:
        cells[cell] += 1
    found = {cell: count for cell, count in cells.items() if count}
    if not found:
        raise InputError("no tasks in these splits", field="splits", fix="run: python -m task_packs.generate")
    return found


def _shadow(side: Side, cells: dict[tuple[str, str], int], config: CanaryConfig, console: Console) -> Shadow:
    results, hits, stuck, replayed = {}, {}, 0, 0
    total = sum(cells.values())
    for (suite, split), count in cells.items():
        base = _evaluation(config, suite)
        shared = config.model_dump(include={"runs", "out", "sandbox", "workers", "seed", "task_timeout_s"})
        body = base.model_dump() | shared | {"decoder": side.decoder, "split": split, "limit": count}
        chosen = EvalConfig.model_validate(body | {"suite": base.suite, "hybrid": base.hybrid})
        found = all_of(chosen, console)
        tasks = limited(load_tasks(chosen.suite.pack, split), count)  # type: ignore[arg-type]
        results |= {result.task_id: result for result in found.results}
        hits |= {task.id: overrides([task], found.traces).hits for task in tasks}
        again = _spread(tasks, config.rollbacks * count // total or (1 if config.rollbacks else 0))
        replayed += len(again)
        with console.status(f"rolling back {len(again)} of its episodes"):
            stuck += sum(not goes_back(task, _calls(found, task), config.sandbox) for task in again)
    return Shadow(results, hits, _hazards(side), stuck, replayed)


def _evaluation(config: CanaryConfig, suite: str) -> EvalConfig:
    return load_config("eval", [f"suite={suite}", f"hybrid={config.hybrid_preset}"], EvalConfig)


def _spread(tasks: Sequence[Task], count: int) -> list[Task]:
    count = min(count, len(tasks))
    return [tasks[number * len(tasks) // count] for number in range(count)] if count else []


def _calls(found: Found, task: Task) -> list[ToolCall]:
    """What an episode really did."""
    path = found.traces.get(task.id)
    if path is None or not path.is_file():
        return []
    calls = []
    for step in read_trace(path).steps:
        if step.verdict is not None and step.verdict.allow:
            call = ToolCall.model_validate_json(step.content)
            calls += [call] if call.tool not in IDLE else []
    return calls


def _hazards(side: Side) -> int:
    """How many dangerous calls of the held-out hazard pack the bundle's gate lets through; nothing is run."""
    from eval.hazards import judge_cases
    from hybrid_agent.packs.hazards import read_hazards
    from hybrid_agent.tools.policy_model import PolicyModel

    gate = side.folder / "gate.json"
    policy = PolicyModel.load(gate) if gate.is_file() else None
    judged = judge_cases(read_hazards(None, "held_out"), policy)
    return sum(one.case.expect == "stopped" and one.gate == "allowed" for one in judged)


def _shown(value: float) -> str:
    return f"{value:.3f}" if isinstance(value, float) and not value.is_integer() else f"{value:g}"
