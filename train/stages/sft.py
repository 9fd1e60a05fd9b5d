"""Supervised training of the decoder on executed gold episodes: loss on the calls only."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.nn.build import build_model
from hybrid_agent.nn.tokenizer import load_tokenizer, save_tokenizer, tokenizer_hash, train_tokenizer
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from train.data import Batch, BatchStream, Sequences, bucket, collate, load_sequences, sample_texts, split
from train.engine import Engine, Loss
from train.plots import plot_training
from train.ranks import Ranks
from train.stage import finish, open_folder, same_data, use_threads

DECODER, LEXICON = "decoder", "lexicon.json"


@dataclass(frozen=True)
class Inputs:
    """What training starts from."""

    data: Path
    data_hash: str
    lexicon: Path | None
    tokenizer: PreTrainedTokenizerFast
    model: LlamaForCausalLM
    parents: dict[str, str]


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train, or go on with the unfinished attempt of the same name; returns the run directory.

    Raises:
        InputError: the data, the parent run or an unfinished attempt does not fit the config.
        train.engine.Stopped: the run was interrupted and saved.
    """
    stage, root, ranks = config.stage, Path(config.runs), Ranks.from_environment()
    assert isinstance(stage, SftConfig)
    threads = use_threads(config, ranks)
    if not ranks.first:
        ranks.wait()  # the first rank makes the folder, the corpus, the tokenizer and the token cache
    folder = open_folder(config, (DECODER,))
    inputs = _inputs(config, folder, root, console)
    pad_id = int(inputs.tokenizer.pad_token_id)
    data = load_sequences(inputs.data, inputs.tokenizer, config.model.context, root / "cache")
    if ranks.first:
        ranks.wait()
    train_rows, val_rows = split(data, stage.val_share, config.seed)
    device = torch.device(config.profile.device)
    model = inputs.model.to(device)
    size = sum(p.numel() for p in model.parameters())
    console.print(
        f"sft: {len(train_rows):,} sequences, {len(data.tokens) / 1e6:.1f} M tokens "
        f"({(data.answer > 0).mean():.0%} answers, {data.dropped} dropped), {size / 1e6:.2f} M parameters, "
        f"{ranks.world} x {threads} threads, in {folder}"
    )
    engine = Engine(
        model,
        BatchStream(data, train_rows, stage.optim.batch_tokens, config.seed, pad_id),
        lambda batch: completion_loss(model, batch.to(device)),
        (lambda: evaluate(model, data, val_rows, stage.optim.batch_tokens, pad_id)) if len(val_rows) else None,
        folder=folder,
        optim=stage.optim,
        length=stage.length,
        profile=config.profile,
        console=console,
        ranks=ranks,
    )
    metrics = engine.fit()
    if not ranks.first:
        ranks.wait()
        return folder
    metrics |= {"steps": engine.step, "tokens": engine.tokens, "seconds": round(engine.elapsed, 1), "parameters": size}
    _finish(config, folder, inputs, model.cpu(), metrics, command)
    ranks.wait()
    return folder


def completion_loss(model: LlamaForCausalLM, batch: Batch) -> Loss:
    """Mean cross-entropy over answer tokens, weighted by sequence. The head runs on answer positions only.

    Padding is on the right and attention is causal, so no position that counts ever sees a pad: no mask is needed.
    """
    hidden, targets, answer = _answers(model, batch)
    weights = batch.weights[:, None].expand_as(answer)[answer > 0]
    losses = F.cross_entropy(model.lm_head(hidden).float(), targets, reduction="none")
    value = (losses * weights).sum() / weights.sum().clamp_min(1e-8)
    return Loss(value, batch.ids.numel(), {})


def _answers(model: LlamaForCausalLM, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(hidden states that predict an answer token, those tokens, answer numbers of all targets (B, T-1))."""
    hidden = model.model(input_ids=batch.ids[:, :-1], use_cache=False).last_hidden_state
    answer = batch.answer[:, 1:]
    return hidden[answer > 0], batch.ids[:, 1:][answer > 0], answer


def evaluate(
    model: LlamaForCausalLM, data: Sequences, rows: np.ndarray, batch_tokens: int, pad_id: int
) -> dict[str, float]:
    """Loss and exact match on held-out rows.

    An answer counts as exact if every token of it is the model's first choice: that is what free greedy decoding
    would have written, given the true text before the answer.
    """
    device = model.device
    total = count = 0.0
    hits: dict[int, list[int]] = {}
    for group in bucket(rows, data.lengths, batch_tokens):
        batch = collate(data, group, pad_id).to(device)
        hidden, targets, answer = _answers(model, batch)
        logits = model.lm_head(hidden).float()
        total += F.cross_entropy(logits, targets, reduction="sum").item()
        count += len(targets)
        row, _ = torch.nonzero(answer, as_tuple=True)
        key = (row * 1000 + answer[answer > 0]).cpu().numpy()
        right = (logits.argmax(-1) == targets).cpu().numpy()
        _, first, sizes = np.unique(key, return_index=True, return_counts=True)
        for at, length in zip(first, sizes, strict=True):
            kind = int(batch.kinds[row[at]])
            hits.setdefault(kind, []).append(int(right[at : at + length].all()))
    every = [h for kind in hits.values() for h in kind]
    figures = {"exact": float(np.mean(every)), "val_loss": total / count}
    if len(hits) > 1:
        figures |= {f"exact/{data.kind_names[k] or 'other'}": float(np.mean(v)) for k, v in sorted(hits.items())}
    return figures


def _inputs(config: TrainConfig, folder: Path, root: Path, console: Console) -> Inputs:
    stage = config.stage
    assert isinstance(stage, SftConfig)
    data, lexicon = _data(stage)
    digest = same_data(folder, data)
    parents: dict[str, str] = {}
    parent = find_run(root, stage.init) if stage.init else None
    if parent is not None:
        manifest = read_manifest(parent)
        parents["init"] = file_hash(parent / "manifest.json")
        console.print(f"inherits tokenizer and weights from {parent} ({manifest.metrics})")
        tokenizer = load_tokenizer(parent / DECODER)
        model = LlamaForCausalLM.from_pretrained(str(parent / DECODER), dtype=torch.float32)
        return Inputs(data, digest, lexicon, tokenizer, model, parents)
    if stage.tokenizer is not None:
        source = bundle_folder() if stage.tokenizer == "bundle" else find_run(root, stage.tokenizer)
        parents["tokenizer"] = file_hash(source / "manifest.json")
        save_tokenizer(load_tokenizer(source / DECODER), folder / DECODER)
    elif not (folder / DECODER / "tokenizer.json").is_file():
        texts = sample_texts(data, stage.tokenizer_sequences)
        save_tokenizer(train_tokenizer(texts, config.model.vocab_size), folder / DECODER)
    tokenizer = load_tokenizer(folder / DECODER)
    model = build_model(
        config.model,
        vocab_size=len(tokenizer),
        pad_id=int(tokenizer.pad_token_id),
        end_id=int(tokenizer.eos_token_id),
        seed=config.seed,
    )
    return Inputs(data, digest, lexicon, tokenizer, model, parents)


def _data(stage: SftConfig) -> tuple[Path, Path | None]:
    """(sequences, lexicon): the given files, or the corpus made from the packs."""
    lexicon = Path(stage.lexicon) if stage.lexicon else None
    if lexicon is not None and not lexicon.is_file():
        raise InputError("no such file", where=str(lexicon), field="stage.lexicon")
    if stage.data is not None:
        return Path(stage.data), lexicon
    from train.corpus import build_corpus

    assert stage.corpus is not None  # the schema holds that one of the two is given
    corpus = build_corpus(stage.corpus, Path(stage.corpus_dir))
    return corpus / "sequences.jsonl.gz", lexicon or corpus / LEXICON


def _finish(
    config: TrainConfig,
    folder: Path,
    inputs: Inputs,
    model: LlamaForCausalLM,
    metrics: dict[str, float],
    command: str,
) -> None:
    """Write the checkpoint people load, the plots and, last, the manifest."""
    disable_progress_bar()  # of transformers: the weights are two megabytes
    model.save_pretrained(str(folder / DECODER))
    save_tokenizer(inputs.tokenizer, folder / DECODER)
    if inputs.lexicon is not None:
        shutil.copyfile(inputs.lexicon, folder / LEXICON)
    plots = plot_training(folder)
    finish(
        config,
        folder,
        command,
        parents=inputs.parents,
        data_hash=inputs.data_hash,
        tokenizer_hash=tokenizer_hash(inputs.tokenizer),
        metrics=metrics,
        files=[*(f for f in (folder / DECODER).iterdir() if f.is_file()), folder / LEXICON, *plots],
    )
