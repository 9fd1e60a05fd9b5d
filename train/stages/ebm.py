"""Training of the energy model on labelled candidates, then its calibration and its veto thresholds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from scipy.special import expit
from transformers import AutoModel, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.stages.ebm import EbmConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.runs.tracking import Cell, Tracker
from hybrid_agent.scorer.calibration import Calibration
from hybrid_agent.scorer.energy import CALIBRATION, ScorerConfig, load_model, read_tokenizer, save_model
from hybrid_agent.scorer.model import EnergyModel, drop_features
from hybrid_agent.traces.domains import DOMAINS
from train.ebm_data import STRATA, Contexts, ContextStream, Labelled, contexts_file, load_contexts, parts
from train.ebm_judge import calibrate, energies_of, fit_baseline, judge, show
from train.ebm_loss import Terms, candidate_weights, loss_terms
from train.ebm_metrics import auc, ece, report
from train.ebm_plots import plot_ebm_training, plot_reliability
from train.ebm_start import start_linear
from train.engine import Engine, Loss
from train.flops import flops_per_token
from train.ranks import Ranks
from train.samples import Table
from train.stage import finish, open_folder, same_data, use_threads, watching

SCORER, REPORT, BASELINE = "scorer", "report.json", "baseline.json"
MOST_CONTEXT = 4096


@dataclass(frozen=True)
class Start:
    """What training starts from."""

    model: EnergyModel
    tokenizer: PreTrainedTokenizerFast | None
    config: ScorerConfig
    parents: dict[str, str]


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train, or go on with the unfinished attempt of the same name; returns the run directory.

    Raises:
        InputError: the contexts, the parent run or an unfinished attempt does not fit the config.
        train.engine.Stopped: the run was interrupted and saved.
    """
    stage, root, ranks = config.stage, Path(config.runs), Ranks.from_environment()
    assert isinstance(stage, EbmConfig)
    threads = use_threads(config, ranks)
    if not ranks.first:
        ranks.wait()  # the first rank makes the folder and the cache
    start = _start(stage, root, config.seed, console)
    source = contexts_file(Path(stage.contexts))
    data = load_contexts(source, start.tokenizer, start.config.context, root / "cache")
    folder = open_folder(config, (SCORER,))
    data_hash = same_data(folder, source)
    if ranks.first:
        ranks.wait()
    split = parts(data, stage.val_share, stage.calibration_share, config.seed)
    weights = torch.from_numpy(candidate_weights(data, split["train"], stage.strata))
    device = torch.device(config.profile.device)
    if stage.linear_start:
        start_linear(start.model, data, split["train"])
    model = start.model.to(device)
    size = sum(p.numel() for p in model.parameters())
    console.print(
        f"ebm: {len(data):,} contexts ({', '.join(f'{len(v):,} {k}' for k, v in split.items())}), "
        f"{len(data.passed):,} candidates ({data.passed.mean():.0%} pass, {int(data.masked)} unlabelled left out), "
        f"{size / 1e6:.2f} M parameters, {ranks.world} x {threads} threads, in {folder}"
    )
    engine: Engine

    def loss(batch: Labelled) -> Loss:
        batch_weights = weights[torch.from_numpy(batch.index)].to(device)
        batch = batch.to(device)
        # Energies by the averaged weights, with all features.
        known = stage.kl and stage.optim.ema
        teacher = engine.averaged(batch.text, batch.features, batch.domain).float() if known else None
        features = drop_features(batch.features, stage.feature_dropout)
        terms = _terms(model, batch, features, teacher, batch_weights)
        logs = {"ranking": terms.ranking.item(), "bce": terms.bce.item(), "kl": terms.kl.item()}
        return Loss(terms.total(stage), batch.size, logs)

    with watching(config, folder, ranks, console) as tracker:
        engine = Engine(
            model,
            ContextStream(data, split["train"], stage.optim.batch_tokens, config.seed, stage.packed),
            loss,
            lambda: _evaluate(model, data, split["val"], stage, config.profile.device),
            folder=folder,
            optim=stage.optim,
            length=stage.length,
            profile=config.profile,
            console=console,
            ranks=ranks,
            watch=tracker.mirror(),
            flops=flops_per_token(model, int(data.lengths(stage.packed).mean())),
        )
        metrics = engine.fit()
        if not ranks.first:
            ranks.wait()
            return folder
        metrics |= {"steps": engine.step, "tokens": engine.tokens, "seconds": round(engine.elapsed, 1)}
        metrics["parameters"] = size
        _finish(config, folder, start, data, split, metrics, command, data_hash, console, tracker)
    ranks.wait()
    return folder


def _terms(
    model: EnergyModel,
    batch: Labelled,
    features: torch.Tensor,
    teacher: torch.Tensor | None,
    weights: torch.Tensor,
) -> Terms:
    energies = model(batch.text, features, batch.domain)
    with torch.autocast(energies.device.type, enabled=False):
        return loss_terms(
            model,
            energies.float(),
            teacher,
            passed=batch.passed,
            domain=batch.domain,
            owner=batch.owner,
            weights=weights,
        )


def _evaluate(
    model: EnergyModel, data: Contexts, rows: NDArray[np.int64], stage: EbmConfig, device: str
) -> dict[str, float]:
    """Binary loss, AUC and calibration error (before calibration) on validation contexts."""
    energies = energies_of(
        model, data, rows, packed=stage.packed, batch_tokens=stage.optim.batch_tokens, device=device
    )["full"]
    index = data.candidates(rows)
    passed, domain = data.passed[index], data.domain[index]
    logits = -energies - model.bias.detach().cpu().numpy()[domain]
    figures = {"val_loss": float(np.mean(np.logaddexp(0, np.where(passed, -logits, logits))))}
    if (whole := auc(-energies, passed)) is not None:
        figures["auc"] = whole
    for number, name in enumerate(DOMAINS):
        mine = domain == number
        if (value := auc(-energies[mine], passed[mine])) is not None:
            figures[f"auc/{name}"] = value
        if mine.any():
            figures[f"ece_raw/{name}"] = ece(expit(logits[mine]), passed[mine])
    return figures


def _start(stage: EbmConfig, root: Path, seed: int, console: Console) -> Start:
    """The untrained model around the trunk that the config names."""
    parents: dict[str, str] = {}
    trunk: PreTrainedModel | None = None
    tokenizer: PreTrainedTokenizerFast | None = None
    disable_progress_bar()  # type: ignore[no-untyped-call]  # of transformers: the weights are two megabytes
    if stage.trunk != "none":
        if stage.trunk == "decoder":
            parent = bundle_folder() if stage.decoder == "bundle" else find_run(root, stage.decoder)
            manifest = read_manifest(parent)
            parents["decoder"] = file_hash(parent / MANIFEST)
            source = parent / "decoder"
            console.print(f"trunk and tokenizer from {manifest.stage}/{manifest.name}")
        else:
            source = Path(stage.trunk.removeprefix("hf:"))
        tokenizer = read_tokenizer(source)
        try:
            trunk = cast(PreTrainedModel, AutoModel.from_pretrained(str(source), dtype=torch.float32))
        except (OSError, ValueError) as error:
            what = str(error).splitlines()[0]
            raise InputError(f"not a loadable model: {what}", where=str(source), field="stage.trunk") from error
        if stage.packed and sees_both_ways(trunk.config):
            what = "a trunk that sees both ways would see candidates behind the one it judges in packed rows"
            raise InputError(what, where=str(source), field="stage.packed", fix="set stage.packed=false")
    context = 0
    if trunk is not None:
        has = int(getattr(trunk.config, "max_position_embeddings", 0) or MOST_CONTEXT)
        context = min(has, stage.context or MOST_CONTEXT)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = EnergyModel(trunk, stage.hidden, stage.dropout)
    torch.manual_seed(seed)  # of the dropouts; a resumed run takes its state from the checkpoint
    shape = _portable(trunk) if trunk is not None else None
    made = ScorerConfig(hidden=stage.hidden, context=context, packed=stage.packed, trunk=shape)
    return Start(model.train(), tokenizer, made, parents)


def sees_both_ways(config: PretrainedConfig) -> bool:
    """True for encoders such as BERT and ModernBERT."""
    return config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)


def _portable(trunk: PreTrainedModel) -> dict[str, Any]:
    """The trunk's config without where it came from."""
    shape: dict[str, Any] = json.loads(trunk.config.to_json_string(use_diff=False))
    return {k: v for k, v in shape.items() if k not in ("_name_or_path", "transformers_version")}


def _finish(
    config: TrainConfig,
    folder: Path,
    start: Start,
    data: Contexts,
    split: dict[str, NDArray[np.int64]],
    metrics: dict[str, Any],
    command: str,
    data_hash: str,
    console: Console,
    tracker: Tracker,
) -> None:
    """Write the scorer, calibrate what was written, report, and write the manifest last."""
    stage, scorer = config.stage, folder / SCORER
    assert isinstance(stage, EbmConfig)
    save_model(scorer, start.model.cpu(), start.config, start.tokenizer)
    model, _ = load_model(scorer, start.config)  # as rounded to fp16: that is what will be served
    model.to(config.profile.device)
    how = {"packed": stage.packed, "batch_tokens": stage.optim.batch_tokens, "device": config.profile.device}
    energies = {name: energies_of(model, data, split[name], **how) for name in ("val", "calibration")}  # type: ignore[arg-type]
    full = {name: found["full"] for name, found in energies.items()}
    calibration = calibrate(full, data, split, over_veto=stage.over_veto, cap=stage.veto_cap)
    (scorer / CALIBRATION).write_text(calibration.model_dump_json(indent=1), encoding="utf-8")
    base = fit_baseline(data, split["train"])
    write_json(folder / BASELINE, base)
    found = report(judge(data, split["val"], energies["val"], calibration, base))
    found["thresholds"] = {name: head.threshold for name, head in calibration.heads.items()}
    found["parts"] = {name: len(rows) for name, rows in split.items()}
    write_json(folder / REPORT, found)
    show(found, console, "validation part")
    plots = [*plot_ebm_training(folder), *plot_reliability(found, folder)]
    head = found["heads"]
    last = {f"{key}/{name}": head[name][key] for name in head for key in ("auc", "ece", "over_veto")}
    tracker.log(int(metrics["steps"]), {key: value for key, value in last.items() if value is not None})
    tracker.table("samples", *_samples(data, split["val"], full["val"], calibration, start, tracker.samples))
    metrics |= last
    finish(
        config,
        folder,
        command,
        parents=start.parents,
        data_hash=data_hash,
        tokenizer_hash=tokenizer_hash(start.tokenizer) if start.tokenizer is not None else None,
        metrics=metrics,
        files=[*(f for f in scorer.iterdir() if f.is_file()), folder / REPORT, folder / BASELINE, *plots],
        tracker=tracker,
    )


def _samples(
    data: Contexts, contexts: NDArray[np.int64], energies: NDArray[Any], fitted: Calibration, start: Start, limit: int
) -> Table:
    """The first candidates of these contexts with their energies and probabilities."""
    columns = ["task", "domain", "stratum", "candidate", "energy", "p", "passed"]
    rows: list[list[Cell]] = []
    chosen = data.candidates(contexts)[:limit]
    owner = np.repeat(np.arange(len(data)), np.diff(data.first))
    for place, at in enumerate(chosen):
        ids = data.tokens[data.tokens_at[at] : data.tokens_at[at + 1]]
        text = start.tokenizer.decode(ids) if start.tokenizer is not None else ""
        domain = DOMAINS[data.domain[at]]
        p = fitted.heads[domain].probabilities(energies[place : place + 1])[0]
        facts = [str(data.groups[owner[at]]), domain, STRATA[data.stratum[at]], text]
        rows.append([*facts, round(float(energies[place]), 4), round(float(p), 4), bool(data.passed[at])])
    return columns, rows
