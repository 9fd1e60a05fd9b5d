"""Trains the energy of edits on mutants: the edit that undoes the mutation against all others (listwise).

python -m train.patch_rank mutants=runs/mutants/train out=hybrid_agent/swe/ranker.json
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybrid_agent.swe.energy import FORMAT, pack, shared_statistics
from hybrid_agent.swe.features import FAMILIES, GROUPS, columns
from hybrid_agent.swe.language import PAIR_BITS, START, TRIPLE_BITS, SharedStatistics, slot, tokens
from train.mutants_corpus import HELD, PACKAGES, TRAIN
from train.patch_cases import Case, cases

NEGATIVES = 500  # of each mutant, half of them from the same lines as the fix
HIDDEN, NETS = 24, 4
# Mutants are not faults of people: a random edit is seldom undone by putting in a guard or a statement, which is what
# many real fixes do. So the trained energy is corrected for how often each family is wanted (label shift: the odds of
# a family times its share here over its share among the training mutants). These shares are an estimate, not a
# measurement: about a third of real one-place fixes touch conditions, a third names and calls, a third the rest.
SHARES = {
    "compare": 7, "logic": 4, "number": 5, "offbyone": 5, "arith": 4, "slice": 3, "name": 10, "attr": 6, "callee": 6,
    "args": 9, "wrap": 7, "text": 2, "test": 10, "augment": 1, "control": 1, "return": 3, "remove": 3, "order": 2,
    "block": 3, "handler": 2, "guard": 8, "insert": 9, "default": 2, "import": 1, "memory": 5, "decoder": 5,
}  # fmt: skip


def corpus() -> list[Path]:
    """Files the token statistics are counted over: the standard library without held-out modules and tests."""
    library = Path(sysconfig.get_path("stdlib"))
    held = {*HELD, *(package for package, _, _ in PACKAGES["held"])}
    out = (
        "test",
        "tests",
        "idlelib",
        "lib2to3",
        "site-packages",
        "__pycache__",
        "ensurepip",
        "turtledemo",
        "pydoc_data",
    )
    found = [p for p in sorted(library.rglob("*.py")) if not set(p.relative_to(library).parts) & set(out)]
    ours = [p for p in found if p.relative_to(library).parts[0].removesuffix(".py") not in held]
    return ours[::3]


def statistics(files: Iterable[Path], common: int = 800) -> dict[str, Any]:
    """Token statistics as `energy.shared_statistics` reads them."""
    import base64
    import zlib

    texts = [p.read_text(encoding="utf-8", errors="replace") for p in files]
    ones = Counter(token for text in texts for token in tokens(text))
    words = sorted(token for token, _ in ones.most_common(common) if token[0].isalpha() or token[0] == "_")
    plain = SharedStatistics(words, b"", b"")
    pairs, triples = np.zeros(1 << PAIR_BITS), np.zeros(1 << TRIPLE_BITS)
    grams: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        for row in text.splitlines():
            row = row.strip()
            if not row or row[0] == "#":
                continue
            line = [START, START, *map(plain.shown, tokens(row))]
            grams.update(itertools.pairwise(line))
            grams.update(zip(line, line[1:], line[2:], strict=False))
    for gram, count in grams.items():
        if len(gram) == 2:
            pairs[slot(gram, PAIR_BITS)] += count
        elif count > 1:
            triples[slot(gram, TRIPLE_BITS)] += count

    def coded(counts: np.ndarray) -> str:
        data = np.clip(np.round(8 * np.log2(1 + counts)), 0, 255).astype(np.uint8)
        return base64.b64encode(zlib.compress(data.tobytes(), 9)).decode()

    return {"words": words, "pairs": coded(pairs), "triples": coded(triples)}


def prior(fixing: Counter[str]) -> dict[str, float]:
    """Log odds of each family: its wanted share over its share among the fixes of the training mutants."""
    found = Counter(operator.partition(".")[0] for operator in fixing.elements())
    total, wanted = sum(found.values()) + len(SHARES), sum(SHARES.values())
    return {
        name: round(float(np.log((share / wanted) / ((found[name] + 1) / total))), 3) for name, share in SHARES.items()
    }


class Net(torch.nn.Module):
    """Dense part: one hidden layer and a direct path."""

    def __init__(self, wide: int, operators: int) -> None:
        super().__init__()
        self.w1 = torch.nn.Parameter(torch.randn(wide, HIDDEN) / wide**0.5)
        self.b1 = torch.nn.Parameter(torch.zeros(HIDDEN))
        self.w2 = torch.nn.Parameter(torch.randn(HIDDEN, 1) * 0.1)
        self.direct = torch.nn.Parameter(torch.zeros(wide))
        self.operators = torch.nn.Parameter(torch.zeros(operators))
        self.cross = torch.nn.Parameter(torch.zeros(len(FAMILIES), len(GROUPS)))

    def forward(self, x: torch.Tensor, op: torch.Tensor, family: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        """Energies; x (candidates, wide)."""
        dropped = torch.nn.functional.dropout(x, 0.1, self.training)
        hidden = torch.nn.functional.dropout(torch.relu(dropped @ self.w1 + self.b1), 0.2, self.training)
        return (
            (hidden @ self.w2)[:, 0] + dropped @ self.direct + self.operators[op] + (self.cross[family] * groups).sum(1)
        )


def sample(case: Case, rng: np.random.Generator) -> np.ndarray:
    """The fixes and a sample of the others."""
    good = np.flatnonzero(case.fixes)
    here = np.isin(case.lines, case.lines[good])
    same, rest = np.flatnonzero(here & ~case.fixes), np.flatnonzero(~here)
    half = NEGATIVES // 2
    chosen = [good, rng.permutation(same)[:half], rng.permutation(rest)[: NEGATIVES - min(len(same), half)]]
    return np.concatenate(chosen)


def fit(found: list[Case], seed: int, names: dict[str, int], mean: np.ndarray, scale: np.ndarray, epochs: int) -> Net:
    """One net on all cases."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Net(len(columns()), len(names))
    steps = torch.optim.AdamW(
        [{"params": [net.w1, net.b1, net.w2, net.direct], "weight_decay": 0.02},
         {"params": [net.operators, net.cross], "weight_decay": 0.2}], lr=4e-3)  # fmt: skip
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(steps, epochs)
    family = {name: place for place, name in enumerate(FAMILIES)}
    for _epoch in range(epochs):
        net.train()
        for _ in range(0, len(found), 8):
            loss = torch.zeros(())
            for case in [found[i] for i in rng.permutation(len(found))[:8]]:
                chosen = sample(case, rng)
                rows = case.rows[chosen].astype(np.float32)
                x = torch.from_numpy(np.clip((rows - mean) / scale, -6, 6).astype(np.float32))
                ops = [case.operators[i] for i in chosen]
                energy = net(
                    x, torch.tensor([names.get(o, 0) for o in ops]),
                    torch.tensor([family.get(o.partition(".")[0], 0) for o in ops]),
                    torch.from_numpy(rows[:, -len(GROUPS) :]),
                )  # fmt: skip
                good = torch.from_numpy(case.fixes[chosen])
                loss = loss + torch.logsumexp(-energy, 0) - torch.logsumexp(-energy[good], 0)
            steps.zero_grad()
            (loss / 8).backward()
            steps.step()
        plan.step()
    return net.eval()


def export(
    nets: list[Net], names: dict[str, int], mean: np.ndarray, scale: np.ndarray, rest: dict[str, Any]
) -> dict[str, Any]:
    """Weights as `energy.EditEnergy` reads them."""
    operators = sum(net.operators.detach().numpy() for net in nets) / len(nets)
    cross = sum(net.cross.detach().numpy() for net in nets) / len(nets)
    return {
        "format": FORMAT, "columns": columns(), "mean": pack(mean), "scale": pack(scale), "cross": pack(cross),
        "operators": {name: round(float(operators[at]), 3) for name, at in names.items() if at},
        "nets": [{n: pack(getattr(net, n).detach().numpy()) for n in ("w1", "b1", "w2", "direct")} for net in nets],
        **rest,
    }  # fmt: skip


def main() -> None:
    """Train and write the ranker."""
    given = dict(each.partition("=")[::2] for each in sys.argv[1:])
    torch.set_num_threads(1)
    out = Path(given.get("out", "hybrid_agent/swe/ranker.json"))
    kept = Path(given.get("statistics", "runs/mutants/statistics.json"))
    if not kept.is_file():
        kept.write_text(json.dumps(statistics(corpus())))
    table = json.loads(kept.read_text())
    began = time.monotonic()
    folder = Path(given.get("mutants", "runs/mutants/train"))
    everything = list(cases(folder, shared_statistics(table), int(given.get("most", "1500"))))
    found = [case for case in everything if case.fixes.any()]
    random.Random(0).shuffle(found)
    print(
        f"{len(everything)} mutants, {len(found)} with the fix among the candidates ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    seen = Counter(op for case in found for op, good in zip(case.operators, case.fixes, strict=True) if good)
    names = {"": 0, **{name: at for at, name in enumerate(sorted({op for case in found for op in case.operators}), 1)}}
    sampled = np.concatenate([case.rows[:: max(1, len(case.rows) // 200)] for case in found]).astype(np.float32)
    mean, scale = sampled.mean(0), sampled.std(0) + 1e-3
    mean, scale = mean.astype(np.float16).astype(np.float32), scale.astype(np.float16).astype(np.float32)
    epochs = int(given.get("epochs", "40"))
    nets = [fit(found, seed, names, mean, scale, epochs) for seed in range(int(given.get("nets", NETS)))]
    about = {
        "mutants": len(everything), "used": len(found), "packages": sorted({case.package for case in everything}),
        "fixing_operators": dict(seen.most_common(12)),
        "held_out": sorted({*HELD, *(p for p, _, _ in PACKAGES["held"])}),
        "statistics_over": "the standard library without held-out modules and tests", "train_modules": len(TRAIN),
    }  # fmt: skip
    out.write_text(
        json.dumps(export(nets, names, mean, scale, {"statistics": table, "prior": prior(seen), "trained_on": about}))
        + "\n"
    )
    print(f"{out}: {out.stat().st_size / 1024:.0f} KiB ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
