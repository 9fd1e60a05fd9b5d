"""LoRA adapters as plain weights: the same numbers as PEFT's own, whatever is done to them."""

import copy
import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import PROJECTIONS, adapter_of, blend, layer_of, merged, read_adapter, write_adapter
from hybrid_agent.nn.lean import LeanLlama
from tests.unit.decoder_models import model

IDS = torch.tensor([[5, 9, 200, 31, 77, 431, 12]])


def trained(seed, r=4, alpha=8, rslora=False):
    """A PEFT model whose adapter is far from nothing."""
    config = LoraConfig(r=r, lora_alpha=alpha, target_modules=list(PROJECTIONS), use_rslora=rslora)
    made = get_peft_model(copy.deepcopy(model()), config)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in made.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0, 0.15, generator=generator)
    return made.eval()


@torch.no_grad()
def logits(net):
    return net(input_ids=IDS).logits[0, -1]


def lean(net):
    return LeanLlama(net).forward([0], [IDS[0].tolist()], [0])[0].clone()


@pytest.mark.parametrize("rslora", [False, True])
def test_merged_weights_compute_what_peft_computes(rslora):
    theirs = trained(1, rslora=rslora)
    ours = merged(model(), adapter_of(theirs))
    assert (logits(model()) - logits(theirs)).abs().max() > 0.1
    torch.testing.assert_close(logits(ours), logits(theirs), atol=1e-4, rtol=0)
    torch.testing.assert_close(lean(ours), logits(theirs), atol=1e-4, rtol=0)


def test_written_adapters_load_with_plain_peft(tmp_path):
    made = trained(2)
    write_adapter(adapter_of(made), tmp_path, torch.float32)
    loaded = PeftModel.from_pretrained(copy.deepcopy(model()), str(tmp_path)).eval()
    torch.testing.assert_close(logits(loaded), logits(made), atol=1e-4, rtol=0)
    write_adapter(adapter_of(made), tmp_path / "half")
    half = PeftModel.from_pretrained(copy.deepcopy(model()), str(tmp_path / "half")).eval()
    assert (tmp_path / "half" / "adapter_model.safetensors").stat().st_size < 60_000
    torch.testing.assert_close(
        logits(merged(model(), read_adapter(tmp_path / "half"))), logits(half), atol=1e-4, rtol=0
    )


def test_adapters_saved_by_peft_are_read_with_their_scaling(tmp_path):
    made = trained(3, r=4, alpha=16)
    made.save_pretrained(str(tmp_path))
    torch.testing.assert_close(logits(merged(model(), read_adapter(tmp_path))), logits(made), atol=1e-4, rtol=0)


def test_a_blend_is_the_blend_of_weights_and_not_peft_linear():
    first, second = adapter_of(trained(4)), adapter_of(trained(5))
    mixed = blend(first, second, 0.25)
    assert mixed.rank == 8
    for module in first.factors:
        torch.testing.assert_close(mixed.change(module), 0.25 * first.change(module) + 0.75 * second.change(module))
    module = "model.layers.0.mlp.up_proj"
    (a1, b1), (a2, b2) = first.factors[module], second.factors[module]
    linear = (0.5 * b1 + 0.5 * b2) @ (0.5 * a1 + 0.5 * a2)
    exact = blend(first, second, 0.5).change(module)
    assert (linear - exact).norm() > 0.3 * exact.norm()


def test_a_blend_can_take_each_layer_from_another_parent_and_survives_saving(tmp_path):
    first, second = adapter_of(trained(6)), adapter_of(trained(7))
    mixed = blend(first, second, [1.0, 0.0])
    for module in first.factors:
        source = first if layer_of(module) == 0 else second
        torch.testing.assert_close(mixed.change(module), source.change(module))
    write_adapter(mixed, tmp_path, torch.float32)
    loaded = PeftModel.from_pretrained(copy.deepcopy(model()), str(tmp_path)).eval()
    torch.testing.assert_close(logits(loaded), logits(merged(model(), mixed)), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="3 shares for 2 layers"):
        blend(first, second, [1, 0, 1])


def test_a_blend_with_nothing_is_part_of_an_adapter():
    first = adapter_of(trained(8))
    torch.testing.assert_close(
        blend(None, first, 0.25).change("model.layers.1.self_attn.q_proj"),
        0.75 * first.change("model.layers.1.self_attn.q_proj"),
    )


def test_what_is_not_plain_lora_is_named(tmp_path):
    with pytest.raises(InputError, match="no readable adapter"):
        read_adapter(tmp_path)
    write_adapter(adapter_of(trained(9)), tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    with pytest.raises(InputError, match="use_dora"):
        read_adapter(tmp_path)


def test_an_adapter_of_another_model_is_refused():
    adapter = adapter_of(trained(10))
    wide = {name: (torch.zeros(4, a.shape[1] + 1), b) for name, (a, b) in adapter.factors.items()}
    with pytest.raises(InputError, match="the layer is"):
        merged(model(), type(adapter)(wide))
    with pytest.raises(InputError, match=r"model\.layers\.9"):
        merged(model(), type(adapter)({"model.layers.9.mlp.up_proj": (torch.zeros(1, 48), torch.zeros(96, 1))}))
