"""Operations of training, counted by hand."""

import torch
from torch import nn

from train.flops import flops_per_token


class Tied(nn.Module):
    """A table that is looked up and, as the head, multiplied."""

    def __init__(self, tied):
        super().__init__()
        self.table, self.mix, self.head = (
            nn.Embedding(100, 8),
            nn.Linear(8, 8, bias=False),
            nn.Linear(8, 100, bias=False),
        )
        if tied:
            self.head.weight = self.table.weight


def test_matrices_cost_six_a_parameter_and_tables_nothing():
    assert flops_per_token(Tied(tied=False)) == 6 * (64 + 800)
    assert flops_per_token(Tied(tied=True)) == 6 * (64 + 800)


def test_frozen_matrices_cost_four():
    model = Tied(tied=False)
    model.mix.weight.requires_grad_(False)
    assert flops_per_token(model) == 4 * 64 + 6 * 800


def test_attention_is_counted_where_the_model_says_how_large_it_is():
    model = Tied(tied=False)
    model.config = type("Config", (), {"num_hidden_layers": 2, "hidden_size": 8})()
    assert flops_per_token(model, 50) - flops_per_token(model) == 12 * 2 * 8 * 50


def test_the_count_agrees_with_what_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    model, tokens = nn.Sequential(nn.Linear(16, 32, bias=False), nn.Linear(32, 16, bias=False)), 10
    rows = torch.randn(tokens, 16, requires_grad=True)  # so that the first layer's input has a gradient, too
    with FlopCounterMode(display=False) as counter:
        model(rows).sum().backward()
    assert counter.get_total_flops() == flops_per_token(model) * tokens
