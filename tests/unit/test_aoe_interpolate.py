"""Whole checkpoints between two others."""

import copy
import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from hybrid_agent.nn.tokenizer import save_tokenizer
from tests.unit.decoder_models import model, tokenizer
from train.aoe_interpolate import main


@pytest.fixture
def parents(tmp_path):
    first, second = copy.deepcopy(model()).to(torch.bfloat16), copy.deepcopy(model())
    for parameter in second.parameters():
        parameter.data += 0.1
    second.to(torch.bfloat16)
    for name, net, size in (("first", first, "60KB"), ("second", second, "5GB")):
        net.save_pretrained(str(tmp_path / name), max_shard_size=size)
        save_tokenizer(tokenizer(), tmp_path / name)
    assert len(list((tmp_path / "first").glob("*.safetensors"))) > 2
    return tmp_path


def run(folder, shares):
    return main([str(folder / "first"), str(folder / "second"), str(folder / "out"), shares])


def weights(folder):
    return AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).state_dict()


def test_each_layer_takes_its_share(parents):
    assert run(parents, "1,0.25") == 0
    first, second, out = (weights(parents / name) for name in ("first", "second", "out"))
    shares = {"model.layers.0.": 1.0, "model.layers.1.": 0.25}
    for name, made in out.items():
        share = next((s for prefix, s in shares.items() if name.startswith(prefix)), 0.625)
        torch.testing.assert_close(made, share * first[name] + (1 - share) * second[name], atol=1e-2, rtol=1e-2)
    layer = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(out[layer], first[layer])


def test_ends_are_the_parents(parents):
    for share, name in (("1", "first"), ("0", "second")):
        assert run(parents, share) == 0
        parent, out = weights(parents / name), weights(parents / "out")
        assert all(torch.equal(out[key], parent[key]) for key in parent)


def test_parents_that_do_not_match_are_refused(parents, capsys):
    assert run(parents, "1,0,1") == 2 and "3 shares for 2 layers" in capsys.readouterr().err
    assert run(parents, "half") == 2 and "not shares" in capsys.readouterr().err
    path = parents / "second" / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": "2.0"}))
    assert run(parents, "0.5") == 2 and "the tokenizers differ" in capsys.readouterr().err
    assert not (parents / "out").exists()
