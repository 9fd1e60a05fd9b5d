"""The energy model over a bidirectional encoder (ModernBERT class): trained by its command, saved, served."""

import random

import pytest
import torch

from hybrid_agent.packs import words
from hybrid_agent.runs.layout import find_run
from hybrid_agent.scorer.encode import Encoder, pack
from hybrid_agent.scorer.energy import EnergyScorer, read_tokenizer
from hybrid_agent.scorer.features import FEATURES
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.contexts import write_contexts
from hybrid_agent.types import Window
from tests.hf_models import chat_tokenizer, save_folder
from tests.labelled import labelled
from train.run import main


def context(i, rng):
    right, *others = rng.sample(words.TRAIN, 3)
    window = Window(goal="g", phase="step", steps=(f"show {right}_1.txt",), files=(f"{right}_1.txt",))
    calls = [{"tool": "fs", "args": {"op": "read", "path": f"{word}_1.txt"}} for word in (right, *others)]
    return labelled(i, rng, window, calls)


@pytest.fixture(scope="module", params=["modernbert", "bert"])
def trunk(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return save_folder(folder, request.param, chat_tokenizer(600), num_hidden_layers=3)


def test_it_sees_both_ways_and_padding_changes_nothing(trunk):
    from transformers import AutoModel

    encoder, rng = Encoder(read_tokenizer(trunk), 256), random.Random(0)
    one = context(0, rng)
    prefix = encoder.prefix(one.window)
    short, other, long = (encoder.candidate(text) for text in ("ls a", "ls b", "cat " + "plum " * 20))
    torch.manual_seed(0)
    model = EnergyModel(AutoModel.from_pretrained(str(trunk)), 8).eval()
    alone = model.pooled(pack([prefix], [[short]], packed=False))
    beside = model.pooled(pack([prefix], [[short, long]], packed=False))
    assert torch.allclose(alone[0], beside[0], atol=1e-4)
    states = [
        model.trunk(input_ids=torch.tensor([prefix + end])).last_hidden_state[0, len(prefix) - 1]
        for end in (short, other)
    ]
    assert not torch.allclose(*states, atol=1e-5)  # the window knows what comes after it
    assert model(pack([prefix], [[short]], packed=False), torch.zeros(1, len(FEATURES)), torch.tensor([0])).isfinite()


def test_it_is_trained_saved_and_served(trunk, tmp_path, capfd):
    rng = random.Random(1)
    write_contexts(tmp_path / "train.jsonl.gz", (context(i, rng) for i in range(60)))
    stage = [f"stage.contexts={tmp_path}/train.jsonl.gz", f"stage.trunk=hf:{trunk}", "stage.optim.batch_tokens=1024"]
    length = ["stage.length.max_steps=4", "stage.context=192", "stage.val_share=0.2", "stage.calibration_share=0.3"]
    machine = ["profile.ranks=1", "profile.threads=1", "stage.hidden=8", f"runs={tmp_path}"]
    assert main(["stage=ebm_encoder", *stage, *length, *machine, "stage.packed=true"]) == 2
    assert "sees both ways" in capfd.readouterr().err
    assert main(["stage=ebm_encoder", *stage, *length, *machine]) == 0
    scorer = EnergyScorer.load(find_run(tmp_path, "ebm/tiny") / "scorer")
    assert scorer.config.trunk["model_type"] in ("modernbert", "bert") and not scorer.config.packed
    one = context(99, rng)
    segments = [candidate.segment for candidate in one.candidates]
    together = [score.energy for score in scorer.score(one.window, segments)]
    alone = [scorer.score(one.window, [segment])[0].energy for segment in segments]
    assert together == pytest.approx(alone, abs=1e-4)
