"""Make what a decoder gets wrong heavier in its training data.

    python -m train.hard data=FILE out=hard.jsonl.gz decoder=sft/tiny by=wording others=0.15 weight=4
    python -m train.hard data=FILE out=hard.jsonl.gz decoder=sft/tiny by=sequence others=0.25 weight=3

A sequence is hard if some token of its answers is not the decoder's first choice given the true text before it.
by=sequence writes the hard ones with `weight` times their weight, and a share of the others as they are.
by=wording looks at a `sample` only, and then keeps and weighs all sequences of a wording by how often it went wrong:
cheaper, and what is trained on is the wording, not the few sequences that showed it.
Go on from the decoder with stage=sft stage.init=RUN stage.corpus=null stage.data=hard.jsonl.gz. Beside `out` lies
`out`.report.json: how many of each kind were hard, and the hardest wordings.

Exit codes: 0 done, 2 bad input, 130 interrupted (nothing is written then).
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.hard import HardConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.runs.atomic import file_hash, write_json, write_lines
from hybrid_agent.runs.layout import find_run
from train.data import Line, bucket, collate, encode, read_sequences
from train.packing import Sample
from train.stream import as_sequences

Judge = Callable[[Iterable[Line]], Iterator[tuple[Line, bool]]]

IN_FULL = 0.25  # by=wording keeps all sequences of a wording that goes wrong this often
HARDEST = 50  # wordings that the report lists
CHUNK = 2000  # lines looked at together, so that rows of a batch are of similar length


@dataclass
class Tally:
    """How many sequences were looked at, and how many were hard: by kind, and by wording."""

    kinds: Counter[tuple[str, bool]] = field(default_factory=Counter)
    wordings: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add(self, line: Line, right: bool) -> None:
        """Count a sequence."""
        self.kinds[line.kind, right] += 1
        self.wordings[_wording(line), right] += 1

    @property
    def hard(self) -> int:
        """Hard sequences in all."""
        return sum(count for (_, right), count in self.kinds.items() if not right)

    def rate(self, wording: str) -> float:
        """Share of a wording's sequences that are hard, drawn towards that of all by one sequence."""
        overall = self.hard / max(1, self.kinds.total())
        wrong, right = self.wordings[wording, False], self.wordings[wording, True]
        return (wrong + overall) / (wrong + right + 1)

    def as_json(self) -> dict[str, Any]:
        """Kinds, and the `HARDEST` wordings by rate."""
        hardest = sorted({name for name, right in self.wordings if not right}, key=lambda n: (-self.rate(n), n))
        return {
            "kinds": {name: _counts(self.kinds, name) for name in sorted({name for name, _ in self.kinds})},
            "hardest": {name: _counts(self.wordings, name) for name in hardest[:HARDEST]},
        }


def _counts(of: Counter[tuple[str, bool]], name: str) -> dict[str, int]:
    return {"sequences": of[name, True] + of[name, False], "hard": of[name, False]}


def _wording(line: Line) -> str:
    return line.wording or line.kind


def mine(config: HardConfig, console: Console) -> dict[str, Any]:
    """Read the data, write what is kept; returns the report.

    Raises:
        InputError: data or decoder are not there, or the output is no place for sequences.
    """
    data, out = config.files()
    parent = bundle_folder() if config.decoder == "bundle" else find_run(Path(config.runs), config.decoder)
    folder = parent / "decoder"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder)
    torch.set_num_threads(config.threads or len(os.sched_getaffinity(0)))
    tally = Tally()
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} sequences looked at, {task.fields[hard]:,} hard"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None, hard=0)

        def judged(lines: Iterable[Line]) -> Iterator[tuple[Line, bool]]:
            """The lines that fit the context, and whether the decoder knows them."""
            source = iter(lines)
            while chunk := list(islice(source, CHUNK)):
                for line, right in zip(chunk, known(model, tokenizer, chunk, config.batch_tokens), strict=True):
                    if right is not None:
                        tally.add(line, right)
                        yield line, right
                progress.update(task, advance=len(chunk), hard=tally.hard)

        kept = _by_sequence(config, data, judged)
        if config.by == "wording":
            kept = _by_wording(config, data, judged, tally)
        written = write_lines(out, (line.model_dump_json() for line in kept))
    report = {
        "data": str(data),
        "data_hash": file_hash(data),
        "decoder": config.decoder,
        "settings": config.model_dump(include={"by", "sample", "weight", "others", "seed"}),
        **tally.as_json(),
        "written": written,
    }
    write_json(out.with_name(out.name + ".report.json"), report)
    return report


def _by_sequence(config: HardConfig, data: Path, judged: Judge) -> Iterator[Line]:
    rng = random.Random(config.seed)
    for line, right in judged(read_sequences(data)):
        if not right:
            yield line.model_copy(update={"weight": line.weight * config.weight})
        elif rng.random() < config.others:
            yield line


def _by_wording(config: HardConfig, data: Path, judged: Judge, tally: Tally) -> Iterator[Line]:
    rng = random.Random(config.seed)
    for _ in judged(line for line in read_sequences(data) if rng.random() < config.sample):
        pass  # what it is done for is the tally
    rate_of = cache(tally.rate)
    for line in read_sequences(data):
        rate = rate_of(_wording(line))
        if rng.random() < config.others + rate / IN_FULL:
            yield line.model_copy(update={"weight": line.weight * (1 + (config.weight - 1) * rate)})


@torch.inference_mode()
def known(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, lines: Sequence[Line], batch_tokens: int
) -> list[bool | None]:
    """For each line whether all tokens of its answers are the model's first choices; None: it has no answer that fits
    the model's context."""
    made = list(encode(lines, tokenizer, model.config.max_position_embeddings))
    rows = [at for at, one in enumerate(made) if one is not None]
    samples = [Sample(np.array(one[0], np.int32), np.array(one[1], np.int16), 1.0) for one in made if one is not None]
    data = as_sequences(samples)
    found: list[bool | None] = [None] * len(lines)
    for group in bucket(np.arange(len(rows)), data.lengths, batch_tokens):
        batch = collate(data, group, pad_id=0)
        first = model(input_ids=batch.ids[:, :-1], use_cache=False).logits.argmax(-1)
        wrong = ((first != batch.ids[:, 1:]) & (batch.answer[:, 1:] > 0)).any(1)
        for at, bad in zip(group, wrong.tolist(), strict=True):
            found[rows[at]] = not bad
    return found


def main(overrides: Sequence[str] | None = None) -> int:
    """The command."""
    overrides = list(sys.argv[1:] if overrides is None else overrides)
    console = Console(stderr=True, highlight=False)
    if not overrides or {"-h", "--help"} & set(overrides):
        print(__doc__)
        return 0
    try:
        report = mine(load_config("hard", overrides, HardConfig), console)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for kind, count in report["kinds"].items():
        console.print(f"{kind or 'other'}: {count['hard']:,} of {count['sequences']:,} hard")
    console.print(f"written: {report['written']:,} sequences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
