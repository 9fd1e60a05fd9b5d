"""Make what a decoder gets wrong heavier in its training data.

    python -m train.hard data=FILE out=hard.jsonl.gz decoder=sft/tiny weight=3 others=0.25

A sequence is hard if some token of its answers is not the decoder's first choice given the true text before it. Hard
ones are written with `weight` times their weight, and a share of the others as they are, so that going on from the
decoder (stage=sft stage.init=RUN stage.corpus=null stage.data=hard.jsonl.gz) spends its time on what is not learnt
yet. Beside `out` lies `out`.report.json: how many of each kind were hard.

Exit codes: 0 done, 2 bad input, 130 interrupted (nothing is written then).
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
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

CHUNK = 2000  # lines looked at together, so that rows of a batch are of similar length


def mine(config: HardConfig, console: Console) -> dict[str, Any]:
    """Read the data once, write what is kept; returns the report.

    Raises:
        InputError: data or decoder are not there, or the output is no place for sequences.
    """
    if config.data is None or config.out is None:
        raise InputError("nothing given", field="data" if config.data is None else "out", fix="data=FILE out=FILE")
    data, out = Path(config.data), Path(config.out)
    if not out.name.endswith((".jsonl", ".jsonl.gz")):
        raise InputError("must end in .jsonl or .jsonl.gz", where=str(out), field="out")
    if data.resolve() == out.resolve():
        raise InputError("is the data itself", where=str(out), field="out", fix="choose another file")
    parent = bundle_folder() if config.decoder == "bundle" else find_run(Path(config.runs), config.decoder)
    folder = parent / "decoder"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder)
    torch.set_num_threads(config.threads or len(os.sched_getaffinity(0)))
    seen: Counter[str] = Counter()
    hard: Counter[str] = Counter()
    rng = random.Random(config.seed)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} sequences, {task.fields[hard]:,} hard"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None, hard=0)

        def kept() -> Iterator[str]:
            source = read_sequences(data)
            while lines := list(islice(source, CHUNK)):
                for line, right in zip(lines, known(model, tokenizer, lines, config.batch_tokens), strict=True):
                    if right is None:
                        continue
                    seen[line.kind] += 1
                    hard[line.kind] += not right
                    if not right:
                        yield line.model_copy(update={"weight": line.weight * config.weight}).model_dump_json()
                    elif rng.random() < config.others:
                        yield line.model_dump_json()
                progress.update(task, advance=len(lines), hard=hard.total())

        written = write_lines(out, kept())
    report = {
        "data": str(data),
        "data_hash": file_hash(data),
        "decoder": config.decoder,
        "settings": config.model_dump(include={"weight", "others", "seed"}),
        "kinds": {kind: {"sequences": seen[kind], "hard": hard[kind]} for kind in sorted(seen)},
        "written": written,
    }
    write_json(out.with_name(out.name + ".report.json"), report)
    return report


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
