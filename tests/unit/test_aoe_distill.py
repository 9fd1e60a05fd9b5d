"""Distillation: the student samples, the right teacher answers, and the student moves towards it."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hybrid_agent.config.stages.aoe import DistilConfig
from hybrid_agent.nn.adapters import adapter_of, merged, write_adapter
from hybrid_agent.traces.domains import EXPERTS
from tests.unit.decoder_models import model
from tests.unit.test_adapters import trained
from train import aoe_distill
from train.aoe_adapters import Factors, old_adapter
from train.aoe_distill import Lesson, LessonStream, add_teachers, distil_loss, student_samples

CONFIG = DistilConfig(max_tokens=6, gold=0.5)
LESSON = Lesson(([5, 9, 200], [31, 77]), ([8, 9, 1], [44, 1]), ("python", "shell"), (0, 1))


@pytest.fixture
def school(tmp_path):
    folders = {}
    for i, name in enumerate(("generalist", "python", "shell")):
        folders[name] = tmp_path / name
        write_adapter(adapter_of(trained(30 + i)), folders[name], torch.float32)
    student = old_adapter(copy.deepcopy(model()), folders["generalist"])
    add_teachers(student, {name: folders[name] for name in ("python", "shell")})
    return student, folders


def expected(student, school_folders, samples):
    """The same loss by merged copies, one text at a time."""
    from hybrid_agent.nn.adapters import read_adapter

    nets = {name: merged(model(), read_adapter(folder)) for name, folder in school_folders.items()}

    def log_probs(net, prompt, said):
        with torch.no_grad():
            return net(input_ids=torch.tensor([[*prompt, *said]])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)

    sums, counts = [0.0, 0.0], [0, 0]
    for kind, texts in enumerate((samples, LESSON.gold)):
        for prompt, said, name in zip(LESSON.prompts, texts, LESSON.experts, strict=True):
            q, p = (log_probs(nets[who], prompt, said) for who in ("generalist", name))
            a, b = (q, p) if kind == 0 else (p, q)
            sums[kind] += float((a.exp() * (a - b)).sum())
            counts[kind] += len(said)
    return 0.5 * sums[0] / counts[0] + 0.5 * sums[1] / counts[1]


@pytest.mark.parametrize("together", [1, aoe_distill.PADDED])
def test_the_loss_is_reverse_kl_on_samples_and_forward_kl_on_gold(school, monkeypatch, together):
    monkeypatch.setattr(aoe_distill, "PADDED", together)
    student, folders = school
    samples = student_samples(student, model(), LESSON, CONFIG, 1)
    assert samples == student_samples(student, model(), LESSON, CONFIG, 1)
    value = distil_loss(student, model(), CONFIG, 0, 1)(LESSON).value
    assert value.item() == pytest.approx(expected(student, folders, samples), rel=1e-3)


def test_only_the_student_learns_and_it_comes_nearer(school):
    student, _ = school
    factors = Factors(student)
    assert len(list(factors.parameters())) == 2 * 7 * 2
    teachers = {n: p.clone() for n, p in student.named_parameters() if "teacher-" in n}
    optimizer = torch.optim.Adam(factors.parameters(), 3e-2)
    loss = distil_loss(student, model(), CONFIG, 0, 1)
    values = []
    for _ in range(15):
        value = loss(LESSON).value
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        values.append(value.item())
    assert values[-1] < 0.5 * values[0]
    assert all(torch.equal(p, teachers[n]) for n, p in student.named_parameters() if n in teachers)


def test_lessons_depend_on_the_place_only_and_slices_come_equally_often():
    rows = np.arange(40)
    answers = SimpleNamespace(
        expert=np.array([EXPERTS.index("shell")] * 38 + [EXPERTS.index("python")] * 2),
        row=rows,
        start=rows * 4 + 2,
        stop=rows * 4 + 4,
        of=lambda wanted: np.flatnonzero(np.isin(rows, wanted)),
    )
    data = SimpleNamespace(tokens=np.arange(160), starts=np.arange(41) * 4)
    stream = LessonStream(data, answers, rows, ["shell", "python", "config"], 50, 3)
    first, second = stream.next(), stream.next()
    assert 10 < first.experts.count("python") < 40 and set(first.experts) == {"python", "shell"}
    assert first.prompts[0][1] + 1 == first.gold[0][0] and len(first.gold[0]) == 2
    stream.restore({"index": 1})
    assert stream.next() == second != first
