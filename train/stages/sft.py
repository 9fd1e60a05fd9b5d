"""Supervised training of the decoder on executed gold episodes: loss on the calls only."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from torch.utils.checkpoint import checkpoint
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.model import HfModelConfig, ModelConfig
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.nn.build import build_model
from hybrid_agent.nn.grow import deepen
from hybrid_agent.nn.tokenizer import load_tokenizer, save_tokenizer, tokenizer_hash, train_tokenizer
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.runs.tracking import Tracker
from train.backbone import Backbone, load_backbone, move, pad_of, save_backbone, trunk_and_head
from train.backend import loading
from train.data import Batch, Sequences, bucket, collate, sample_texts
from train.engine import Engine, Loss
from train.flops import elements, flops_per_token
from train.packing import PackedBatch, model_inputs
from train.plots import plot_training
from train.ranks import Ranks
from train.samples import answer_samples
from train.sft_feed import from_memory, from_mixture, mixture_digest, mixture_texts
from train.stage import finish, open_folder, same_data, same_digest, use_threads, watching

DECODER, LEXICON = "decoder", "lexicon.json"
LARGE_VOCABULARY, LOGITS = 8192, 2048  # above so many tokens, logits are made for so many positions at a time


@dataclass(frozen=True)
class Inputs:
    """What training starts from."""

    data: Path | None
    data_hash: str
    lexicon: Path | None
    tokenizer: PreTrainedTokenizerFast
    model: PreTrainedModel
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
    inputs = _inputs(config, folder, root, console, ranks)
    pad_id = pad_of(inputs.tokenizer)
    if inputs.data is None:
        feed = from_mixture(config, inputs.tokenizer, pad_id)
    else:
        feed = from_memory(config, inputs.data, inputs.tokenizer, pad_id, root / "cache")
    data, val_rows = feed.data, feed.val_rows
    if ranks.first:
        ranks.wait()
    device = torch.device(config.profile.device)
    model = move(inputs.model, device)
    size = sum(elements(p) for p in model.parameters())
    console.print(f"sft: {feed.said}, {size / 1e6:.2f} M parameters, {ranks.world} x {threads} threads, in {folder}")
    with watching(config, folder, ranks, console) as tracker:
        engine = Engine(
            model,
            feed.stream,
            lambda batch: completion_loss(model, batch.to(device)),
            (lambda: evaluate(model, data, val_rows, stage.optim.batch_tokens, pad_id)) if len(val_rows) else None,
            folder=folder,
            optim=stage.optim,
            length=stage.length,
            profile=config.profile,
            console=console,
            ranks=ranks,
            watch=tracker.mirror(),
            flops=flops_per_token(model, feed.mean_length),
        )
        metrics = engine.fit()
        if not ranks.first:
            ranks.wait()
            return folder
        metrics |= {"steps": engine.step, "tokens": engine.tokens, "seconds": round(engine.elapsed, 1)}
        metrics |= feed.figures()
        tracker.table("samples", *answer_samples(model, data, val_rows[: tracker.samples], inputs.tokenizer))
        _finish(
            config, folder, inputs, move(model, torch.device("cpu")), metrics | {"parameters": size}, command, tracker
        )
    ranks.wait()
    return folder


def completion_loss(model: PreTrainedModel, batch: Batch | PackedBatch) -> Loss:
    """Mean cross-entropy over answer tokens, weighted by sequence. The head runs on answer positions only.

    Padding is on the right and attention is causal, so no position that counts ever sees a pad: no mask is needed.
    In packed rows weights stand by token.
    """
    hidden, targets, answer = _answers(model, batch)
    by_token = batch.weights[:, 1:] if batch.weights.ndim == 2 else batch.weights[:, None].expand_as(answer)
    weights = by_token[answer > 0]
    losses = _cross_entropy(trunk_and_head(model)[1], hidden, targets)
    value = (losses * weights).sum() / weights.sum().clamp_min(1e-8)
    return Loss(value, batch.ids.numel(), {})


def _cross_entropy(head: torch.nn.Module, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Losses (N,) of hidden states (N, D). With a large vocabulary the logits of all of them would be the largest
    thing in memory: they are made some at a time, and again in the backward pass."""

    def losses(hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(head(hidden).float(), targets, reduction="none")

    if not _many_logits(head):
        return losses(hidden, targets)
    parts = zip(_parts(head, hidden), _parts(head, targets), strict=True)
    return torch.cat([checkpoint(losses, h, t, use_reentrant=False) for h, t in parts])


def _many_logits(head: torch.nn.Module) -> bool:
    return int(getattr(head, "out_features", 0)) > LARGE_VOCABULARY


def _answers(model: PreTrainedModel, batch: Batch | PackedBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(hidden states that predict an answer token, those tokens, answer numbers of all targets (B, T-1))."""
    packed = isinstance(batch, PackedBatch)
    inputs = model_inputs(batch, model.config) if packed else {"input_ids": batch.ids[:, :-1], "use_cache": False}
    hidden = trunk_and_head(model)[0](**inputs).last_hidden_state
    answer = batch.answer[:, 1:]
    hidden = hidden.view(*answer.shape, -1)  # FlashAttention was given all rows as one
    return hidden[answer > 0], batch.ids[:, 1:][answer > 0], answer


def evaluate(
    model: PreTrainedModel, data: Sequences, rows: np.ndarray, batch_tokens: int, pad_id: int
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
        head = trunk_and_head(model)[1]
        best: list[torch.Tensor] = []
        for some, wanted in zip(*(_parts(head, whole) for whole in (hidden, targets)), strict=True):
            logits = head(some).float()
            total += F.cross_entropy(logits, wanted, reduction="sum").item()
            best.append(logits.argmax(-1))
        count += len(targets)
        row, _ = torch.nonzero(answer, as_tuple=True)
        key = (row * 1000 + answer[answer > 0]).cpu().numpy()
        right = (torch.cat(best) == targets).cpu().numpy()
        _, first, sizes = np.unique(key, return_index=True, return_counts=True)
        for at, length in zip(first, sizes, strict=True):
            kind = int(batch.kinds[row[at]])
            hits.setdefault(kind, []).append(int(right[at : at + length].all()))
    every = [h for kind in hits.values() for h in kind]
    figures = {"exact": float(np.mean(every)), "val_loss": total / count}
    if len(hits) > 1:
        figures |= {f"exact/{data.kind_names[k] or 'other'}": float(np.mean(v)) for k, v in sorted(hits.items())}
    return figures


def _parts(head: torch.nn.Module, whole: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return whole.split(LOGITS) if _many_logits(head) else (whole,)


def _inputs(config: TrainConfig, folder: Path, root: Path, console: Console, ranks: Ranks) -> Inputs:
    stage = config.stage
    assert isinstance(stage, SftConfig)
    pretrained = config.model if isinstance(config.model, HfModelConfig) else None
    data, lexicon = _data(stage, config.fanout, windows=pretrained is not None)
    if data is None:
        digest = same_digest(folder, mixture_digest(stage), "stage.mixture")
    else:
        digest = same_data(folder, data)
    parents: dict[str, str] = {}
    parent = _run(root, stage.init) if stage.init else None
    if parent is not None:
        manifest = read_manifest(parent)
        parents["init"] = file_hash(parent / "manifest.json")
        console.print(f"inherits tokenizer and weights from {parent} ({manifest.metrics})")
    if pretrained is not None:
        torch.manual_seed(config.seed)  # of the adapters' weights and dropout
        with loading(config.profile, ranks):
            found = load_backbone(pretrained, config.profile, parent)
        return Inputs(data, digest, lexicon, found.tokenizer, found.model, {**parents, "base": found.base})
    assert isinstance(config.model, ModelConfig)
    if parent is not None:
        tokenizer = load_tokenizer(parent / DECODER)
        model = LlamaForCausalLM.from_pretrained(str(parent / DECODER), dtype=torch.float32)
        if config.model.layers > model.config.num_hidden_layers:
            console.print(f"grows it from {model.config.num_hidden_layers} to {config.model.layers} layers")
            model = deepen(model, config.model.layers)
        return Inputs(data, digest, lexicon, tokenizer, model, parents)
    if stage.tokenizer is not None:
        source = _run(root, stage.tokenizer)
        parents["tokenizer"] = file_hash(source / "manifest.json")
        save_tokenizer(load_tokenizer(source / DECODER), folder / DECODER)
    elif not (folder / DECODER / "tokenizer.json").is_file():
        texts = sample_texts(data, stage.tokenizer_sequences) if data is not None else mixture_texts(stage)
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


def _run(root: Path, name: str) -> Path:
    return bundle_folder() if name == "bundle" else find_run(root, name)


def _data(stage: SftConfig, fanout: FanoutConfig, windows: bool = False) -> tuple[Path | None, Path | None]:
    """(sequences, lexicon): the given files, or the corpus made from the packs; `windows`: as windows and calls. No
    sequences with a mixture."""
    lexicon = Path(stage.lexicon) if stage.lexicon else None
    if lexicon is not None and not lexicon.is_file():
        raise InputError("no such file", where=str(lexicon), field="stage.lexicon")
    if stage.mixture:
        return None, lexicon
    if stage.data is not None:
        return Path(stage.data), lexicon
    from train.corpus import build_corpus, build_turns

    assert stage.corpus is not None  # the schema holds that one of the two is given
    if windows:
        return build_turns(stage.corpus, Path(stage.corpus_dir), fanout), lexicon
    corpus = build_corpus(stage.corpus, Path(stage.corpus_dir), fanout)
    return corpus / "sequences.jsonl.gz", lexicon or corpus / LEXICON


def _finish(
    config: TrainConfig,
    folder: Path,
    inputs: Inputs,
    model: PreTrainedModel,
    metrics: dict[str, float],
    command: str,
    tracker: Tracker,
) -> None:
    """Write the checkpoint people load, the plots and, last, the manifest."""
    disable_progress_bar()  # of transformers: the weights are two megabytes
    if isinstance(config.model, HfModelConfig):
        save_backbone(Backbone(model, inputs.tokenizer, inputs.parents["base"]), config.model, folder / DECODER)
    else:
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
        tracker=tracker,
    )
