"""Our loop beside TRL's does the same work: the same losses, the same weights."""

import pytest

from hybrid_agent.config.bench_trl import BenchTrlConfig
from hybrid_agent.config.model import ModelConfig


def test_both_sides_do_the_same_work():
    """Tolerance (fp32, 6 steps): losses within 1e-4 of each other, weights within a fiftieth of what they moved."""
    pytest.importorskip("trl")
    from hybrid_agent.nn.build import build_model
    from train.bench_trl import measure

    model = ModelConfig(vocab_size=1024, d_model=16, layers=1, heads=2, d_mlp=32, context=256)
    found, (ours, theirs) = measure(BenchTrlConfig(steps=4, blocks=2, rows=4, sequences=16, model=model))
    assert found.loss[0] == pytest.approx(found.loss[1], rel=1e-4)
    assert found.ours_tokens_s > 0 and found.trl_tokens_s > 0 and found.ratio_cpu > 0
    assert found.tokens > 16 * 20  # 4 steps of 4 sequences
    start = build_model(model, vocab_size=ours.config.vocab_size, pad_id=0, end_id=1)
    moved = [float((a - s).detach().abs().mean()) for a, s in zip(theirs.parameters(), start.parameters(), strict=True)]
    apart = [float((a - b).detach().abs().mean()) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
    assert min(moved) > 0 and all(a < m / 50 for a, m in zip(apart, moved, strict=True))
