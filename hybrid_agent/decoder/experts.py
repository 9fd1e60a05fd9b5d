"""The Assembly of Experts: which adapter, or which mixture of two, writes the next segment.

A mixture is written `python+shell@0.75`: three quarters of the first one's weight changes and a quarter of the
second's. Experts are stored as plain PEFT folders, `experts/<name>/`; a folder with a `child.json` holds a child of
two others and stands in for every mixture of them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from transformers import PreTrainedModel

from hybrid_agent.decoder.engine import KVModel
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import CONFIG, Adapter, blend, merged, read_adapter
from hybrid_agent.nn.rows import fast_rows
from hybrid_agent.types import Control

BASE, GENERALIST = "base", "generalist"
CHILD = "child.json"
SHARES = (0.25, 0.5, 0.75)


class ExpertLibrary:
    """Adapters over one decoder, and the merged weights of those in use.

    Weights are merged when first asked for, so a segment by an expert costs what a segment of the decoder costs. The
    newest `keep` stay (each holds a copy of the weights and a cache), so this is for small models; a served large
    model takes one adapter a request instead.

    Args:
        model: the decoder that the adapters were trained on.
        adapters: by name; `base` means the decoder itself and cannot be one of them.
        children: adapter -> its two parents.
        sure: from this probability on, one expert writes alone.
        keep: merged models to keep, the decoder itself not counted.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        adapters: Mapping[str, Adapter],
        children: Mapping[str, tuple[str, str]] | None = None,
        *,
        sure: float = 0.6,
        keep: int = 8,
    ) -> None:
        self.model, self.adapters, self.sure, self.keep = model, dict(adapters), sure, max(1, keep)
        self.children = {frozenset(parents): name for name, parents in (children or {}).items()}
        for name in self.adapters:
            if name == BASE or set("+@/") & set(name):
                raise InputError(f"{name!r} cannot name an expert", fix="use letters, digits and -")
        self._base: KVModel | None = None
        self._kept: OrderedDict[str, KVModel] = OrderedDict()

    @classmethod
    def load(cls, folder: Path, model: PreTrainedModel, *, sure: float = 0.6, keep: int = 8) -> ExpertLibrary:
        """Read all adapters below `folder` (`experts/` of a run or a bundle).

        Raises:
            InputError: there is none, or one does not fit the model.
        """
        adapters, children = read_experts(folder)
        known = {name for name, _ in model.named_modules()}
        for name, adapter in adapters.items():
            if not set(adapter.factors) <= known:
                raise InputError("this adapter belongs to another model", where=str(folder / name))
        return cls(model, adapters, children, sure=sure, keep=keep)

    @property
    def names(self) -> tuple[str, ...]:
        """All adapters, in order of name."""
        return tuple(sorted(self.adapters))

    def choose(self, control: Control, final: bool) -> str:
        """Who writes, by the planner's expert prior.

        The likeliest expert, if it is likely enough; otherwise the two likeliest share a draft, and a promoted child
        of the two writes instead of their mixture. A `final` segment is always written by one. Experts that the
        library lacks are passed over (the decoder itself stands in for a missing generalist); without a prior, the
        decoder itself writes.
        """
        prior = self._known(control.expert_prior)
        ranked = sorted(prior, key=lambda name: (-prior[name], name))
        if not ranked:
            return BASE
        total, best = sum(prior.values()), prior[ranked[0]]
        if len(ranked) == 1 or best >= self.sure * total:
            return ranked[0]
        child = self.children.get(frozenset(ranked[:2]))
        if child is not None:
            return child
        return ranked[0] if final else mixture(ranked[0], ranked[1], best / (best + prior[ranked[1]]))

    def _known(self, prior: Mapping[str, float]) -> dict[str, float]:
        known: dict[str, float] = {}
        for name, p in prior.items():
            name = BASE if name == GENERALIST and GENERALIST not in self.adapters else name
            if p > 0 and (name == BASE or name in self.adapters):
                known[name] = known.get(name, 0.0) + p
        return known

    def adapter(self, name: str) -> Adapter | None:
        """The adapter of an expert or mixture; None for the decoder itself.

        Raises:
            InputError: no such expert, or not a share between 0 and 1.
        """
        pair, at, share = name.partition("@")
        parts = pair.split("+")
        for part in parts:
            if part != BASE and part not in self.adapters:
                fix = "one of " + ", ".join((BASE, *self.names))
                raise InputError(f"no expert {part!r}", where=name, fix=fix)
        if not at and len(parts) == 1:
            return self.adapters.get(name)
        try:
            amount = float(share)
        except ValueError:
            amount = -1.0
        if len(parts) != 2 or not 0 <= amount <= 1:
            raise InputError(f"{name!r} is not a mixture", fix="write it like python+shell@0.5")
        return blend(self.adapters.get(parts[0]), self.adapters.get(parts[1]), amount)

    def rows(self, name: str) -> KVModel:
        """A model with its own cache for an expert or mixture; the same object as long as it is kept.

        Caches are not shared: a text that another expert wrote must be read again by this one.
        """
        if name == BASE:
            self._base = self._base or fast_rows(self.model)
            return self._base
        if name in self._kept:
            self._kept.move_to_end(name)
        else:
            self._kept[name] = fast_rows(merged(self.model, self.adapter(name)))
            while len(self._kept) > self.keep:
                self._kept.popitem(last=False)
        return self._kept[name]


def read_experts(folder: Path) -> tuple[dict[str, Adapter], dict[str, tuple[str, str]]]:
    """All adapters below a folder by name, and the two parents of those that are children.

    Raises:
        InputError: there is none, or one is broken.
    """
    adapters, children = {}, {}
    for path in sorted(folder.glob(f"*/{CONFIG}")):
        adapters[path.parent.name] = read_adapter(path.parent)
        if (path.parent / CHILD).is_file():
            first, second = json.loads((path.parent / CHILD).read_text(encoding="utf-8"))["parents"]
            children[path.parent.name] = (first, second)
    if not adapters:
        raise InputError("no experts here", where=str(folder), fix="train them: python -m train.run stage=aoe")
    return adapters, children


def mixture(first: str, second: str, share: float) -> str:
    """The name of the nearest mixture in the library; the two in order of name, so that each has one name."""
    nearest = min(SHARES, key=lambda s: abs(s - share))
    return f"{first}+{second}@{nearest:g}" if first < second else f"{second}+{first}@{1 - nearest:g}"
