"""Training text of models with a chat template is what serving shows them."""

import functools
import json

import pytest

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.window_text import END, render_window
from hybrid_agent.types import Exchange, Window
from tests.hf_models import chat_tokenizer, save_folder
from train.chat_data import ChatFormat, ChatLine, load_chat

LIST, STAT = '{"tool":"fs","args":{"op":"list","path":"x"}}', '{"tool":"fs","args":{"op":"stat","path":"x"}}'
FIRST = Window(goal="g", phase="step", steps=("show the files",), files=("x",))
SECOND = FIRST.model_copy(update={"exchanges": (Exchange(call=LIST, obs="x y z"),)})
OTHER = Window(goal="h", phase="step", steps=("show the size",), files=("y",))


@functools.cache
def tokenizer():
    return chat_tokenizer()


def line(*pairs):
    return ChatLine(turns=[{"window": window, "call": call} for window, call in pairs])


def test_prompts_are_those_of_the_decoder_and_only_calls_are_learnt(tmp_path):
    save_folder(tmp_path, "llama", tokenizer())
    decoder = HfDecoder(*load_checkpoint(tmp_path), call_schema())
    how = ChatFormat(tokenizer(), 4096)
    for window, call in ((FIRST, LIST), (SECOND, STAT), (OTHER, STAT)):
        (row,) = how.rows(line((window, call)))
        prompt, _ = decoder.encode(window)
        assert row.ids[: len(prompt)] == prompt
        learnt = [token for token, mark in zip(row.ids, row.answer, strict=True) if mark]
        assert row.ids == prompt + learnt and learnt[-1] == decoder.engine.end_id
        assert tokenizer().decode(learnt) == call + "<|im_end|>"


def test_a_growing_conversation_is_one_row_and_another_window_a_new_one():
    how = ChatFormat(tokenizer(), 4096)
    rows = how.rows(line((FIRST, LIST), (SECOND, STAT), (OTHER, STAT)))
    assert [max(row.answer) for row in rows] == [2, 1]
    alone = how.rows(line((SECOND, STAT)))[0]
    assert rows[0].ids == alone.ids
    second = [token for token, mark in zip(rows[0].ids, rows[0].answer, strict=True) if mark == 2]
    assert second == [token for token, mark in zip(alone.ids, alone.answer, strict=True) if mark == 1]


def test_conversations_are_learnt_on_the_assistants_turns():
    turns = [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    (row,) = ChatFormat(tokenizer(), 512).rows(ChatLine(messages=[{"role": r, "content": c} for r, c in turns]))
    marked = {n: tokenizer().decode([t for t, m in zip(row.ids, row.answer, strict=True) if m == n]) for n in (1, 2)}
    assert marked == {1: "b<|im_end|>", 2: "d<|im_end|>"}
    assert tokenizer().decode(row.ids).count("<|im_start|>") == 5


def test_with_our_own_tokenizer_the_tiny_format_is_used():
    own = load_tokenizer(bundle_folder() / "decoder")
    (row,) = ChatFormat(own, 512).rows(line((FIRST, LIST)))
    assert own.decode(row.ids) == render_window(FIRST) + LIST + END


def test_files_are_read_once_and_what_does_not_fit_is_left_out(tmp_path):
    path = tmp_path / "turns.jsonl"
    path.write_text(line((FIRST, LIST)).model_dump_json() + "\n" + line((OTHER, STAT)).model_dump_json() + "\n")
    data = load_chat(path, tokenizer(), 4096, tmp_path / "cache")
    again = load_chat(path, tokenizer(), 4096, tmp_path / "cache")
    assert len(data) == len(again) == 2 and (data.tokens == again.tokens).all()
    assert len(list((tmp_path / "cache").iterdir())) == 1
    with pytest.raises(InputError, match=r"no sequence has an answer within 64 tokens"):
        load_chat(path, tokenizer(), 64, tmp_path / "cache")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps({"turns": []}), "one of turns, messages and segments"),
        (json.dumps({"turns": [{"window": {"goal": "g"}, "call": "x", "cal": "x"}]}), "did you mean 'call'"),
        ("[", "valid JSON"),
    ],
)
def test_wrong_lines_are_named(tmp_path, text, says):
    path = tmp_path / "turns.jsonl"
    path.write_text(line((FIRST, LIST)).model_dump_json() + "\n" + text + "\n")
    with pytest.raises(InputError) as caught:
        load_chat(path, tokenizer(), 4096, tmp_path / "cache")
    assert f"{path}:2" in str(caught.value) and says in str(caught.value)
