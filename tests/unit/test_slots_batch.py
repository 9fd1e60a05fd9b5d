"""Rows of a shared cache hold what they are said to hold; rows of a ragged pass are those of each row alone."""

import random

import pytest
import torch

from hybrid_agent.decoder.slots import Slots
from hybrid_agent.nn.lean import LeanLlama
from hybrid_agent.nn.ragged import RowWork, forward_ragged
from hybrid_agent.nn.rows import CachedRows
from tests.unit.decoder_models import model


class Holder:
    """Stands for a model: only its identity counts."""


@pytest.mark.parametrize("seed", range(4))
def test_what_is_known_of_a_row_is_in_it(seed):
    """Random sessions of two models, against a cache that is a plain list of tokens a row."""
    rng = random.Random(seed)
    count, models = 7, [Holder(), Holder()]
    slots, cache = Slots(count), [[] for _ in range(count)]
    texts = {0: [[1, 2, 3]], 1: [[1, 2, 3]]}
    busy, asked = [], []
    reused = heads = 0
    for _ in range(600):
        kind = rng.random()
        if kind < 0.4 and slots.free:
            which = rng.randrange(2)
            known = rng.choice(texts[which])
            again = [text for row, text in asked[-6:] if row == which]
            text = known[: rng.randint(1, len(known))] + [rng.randrange(3) for _ in range(rng.choice((0, 0, 4, 30)))]
            if again and rng.random() < 0.3:
                text = rng.choice(again)
            asked.append((which, text))
            found = slots.take(models[which], text)
            if found.source != found.row:
                cache[found.row] = cache[found.source][: found.known]
            cache[found.row] = cache[found.row][: found.known]
            assert cache[found.row] == text[: found.known] == slots.slots[found.row].text
            assert all(found.row != row for row, _, _ in busy)
            if found.known == len(text):
                assert found.head == (which, text)
                heads += 1
            else:
                assert found.head is None
            reused += found.known > 20
            cache[found.row] = list(text)
            slots.slots[found.row].text += text[found.known :]
            slots.slots[found.row].head = (len(text), (which, text))  # the logits after a text, as far as it matters
            busy.append((found.row, which, text))
        elif kind < 0.6 and busy and slots.free:
            row, which, text = rng.choice(busy)
            found = slots.fork(row, models[which])
            assert cache[found.row][: found.known] == cache[row][: found.known]
            cache[found.row] = list(cache[row])
            assert slots.slots[found.row].text == cache[found.row]
            busy.append((found.row, which, text))
        elif kind < 0.8 and busy:
            row, which, text = rng.choice(busy)
            new = [rng.randrange(3) for _ in range(rng.randint(1, 9))]
            cache[row] += new
            slots.slots[row].text += new
            texts[which] = [*texts[which][-12:], list(cache[row])]
        elif busy:
            row, _, _ = busy.pop(rng.randrange(len(busy)))
            slots.give_back(row, spare=rng.random() < 0.3)
        assert slots.free == count - len(busy) == sum(not slot.busy for slot in slots.slots)
    assert reused > 5 and heads > 0


@pytest.mark.parametrize("kv_heads", [None, 2])
def test_rows_of_a_ragged_pass_are_those_of_each_row_alone(kv_heads):
    one, other = LeanLlama(model(kv_heads)), LeanLlama(model(kv_heads))
    for block in other.blocks:
        block.qkv, block.down = 1.1 * block.qkv, 0.9 * block.down
    rng = random.Random(0)
    cache = one.cache.alike()
    held = {row: [] for row in (0, 1, 2, 5, 9)}
    of = {row: (one, other)[row % 2] for row in held}
    for _ in range(6):
        new = {
            row: [rng.randrange(600) for _ in range(rng.choice((1, 1, 3, 20)))] for row in rng.sample(sorted(held), 4)
        }
        work = [RowWork(of[row].over(cache), row, tokens, len(held[row])) for row, tokens in new.items()]
        logits = forward_ragged(cache, work)
        for row, tokens in new.items():
            held[row] += tokens
        alone = torch.cat([of[row].forward([0], [held[row]], [0]) for row in new])
        torch.testing.assert_close(logits, alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kv_heads", [None, 2])
def test_rows_of_a_stock_model_go_together(kv_heads):
    rows, alone = CachedRows(model(kv_heads)), CachedRows(model(kv_heads))
    rng = random.Random(1)
    held = {row: [] for row in (0, 1, 2, 5)}
    for _ in range(6):
        sizes = {row: rng.choice((1, 1, 3, 20)) for row in rng.sample(sorted(held), 3)}
        new = {row: [rng.randrange(600) for _ in range(size)] for row, size in sizes.items()}
        for row in new:  # sometimes a few tokens are taken back
            held[row] = held[row][: len(held[row]) - rng.choice((0, 0, 2))]
        logits = rows.forward_together(list(new), list(new.values()), [len(held[row]) for row in new])
        for row, tokens in new.items():
            held[row] += tokens
        expected = torch.cat([alone.forward([9], [held[row]], [0]) for row in new])
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)
