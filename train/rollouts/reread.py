"""Have another decoder read the candidates of contexts.

    python -m train.rollouts.reread FOLDER out=FOLDER decoder=hf:sft/tiny

Builds do this for what their decoder did not write. This command is for contexts that exist when the decoder changes:
all candidates get its log-probabilities, nothing is executed again, labels stay.

Exit codes: 0 done, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from hybrid_agent.assemble.decoders import bundle_folder, decoder_hash
from hybrid_agent.config.load import load_config
from hybrid_agent.config.reading import ReadingConfig
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.read import Reader
from hybrid_agent.errors import InputError
from hybrid_agent.fanout.run import fan_out, in_order
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.contexts import Context, read_contexts, write_contexts
from hybrid_agent.traces.provenance import CONTEXTS, Provenance, read_provenance, write_provenance
from train.rollouts.build import find_decoder
from train.rollouts.read import figures

TOGETHER = 32  # contexts that a worker takes at a time


@contextmanager
def reading(folder: Path) -> Iterator[Callable[[Sequence[Context]], list[Context]]]:
    """What a worker process does with some contexts."""
    import torch

    torch.set_num_threads(1)
    reader = Reader(HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1), parts={}))
    yield lambda contexts: [figures(reader, context, written_too=True) for context in contexts]


def read(settings: ReadingConfig, console: Console) -> Provenance:
    """Read them all; returns the new folder's provenance.

    Raises:
        InputError: no such contexts or decoder, or `out` is the folder itself.
    """
    source, out = Path(settings.contexts), Path(settings.out)
    if out.resolve() == source.resolve():
        raise InputError("contexts are never changed in place", where=str(out), field="out", fix="give another folder")
    made = read_provenance(source)
    spec = find_decoder(settings.decoder, Path(settings.runs))
    folder = spec.folder or bundle_folder()
    contexts = list(read_contexts(source / CONTEXTS))
    parts = [contexts[at : at + TOGETHER] for at in range(0, len(contexts), TOGETHER)]
    out.mkdir(parents=True, exist_ok=True)
    bar = Progress(console=console, disable=not console.is_terminal)
    fanout = settings.fanout.over(settings.workers)
    with bar, closing(fan_out(parts, partial(reading, folder), fanout, said=bar.console.print)) as outcomes:

        def stream() -> Iterator[Context]:
            for outcome in bar.track(in_order(outcomes), total=len(parts), description="reading"):
                if outcome.value is None:
                    raise InputError(f"contexts cannot be read: {outcome.lost}", where=str(source))
                yield from outcome.value

        write_contexts(out / CONTEXTS, stream())
    write_text(out / "split.json", (source / "split.json").read_text())
    changed = made.model_copy(update={"decoder": settings.decoder, "decoder_hash": decoder_hash(spec)})
    return write_provenance(out, changed, [CONTEXTS])


def main(overrides: Sequence[str] | None = None) -> int:
    """The command."""
    overrides = list(sys.argv[1:] if overrides is None else overrides)
    if {"--help", "-h"} & set(overrides):
        print(__doc__)
        return 0
    if overrides and "=" not in overrides[0]:
        overrides[0] = f"contexts={overrides[0]}"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        settings = load_config("reading", overrides, ReadingConfig)
        made = read(settings, Console(stderr=True))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    print(f"read: {settings.out} ({made.records} contexts)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
