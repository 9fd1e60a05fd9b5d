"""Unknown words become nouns that the decoder knows, and nobody but the decoder sees them."""

from __future__ import annotations

import functools
import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.constrain import Lexicon
from hybrid_agent.decoder.aliases import Alias, Aliases
from hybrid_agent.decoder.batch import BatchedDecoder, BatchOptions
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.live import Live, watched
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.read import Reader
from hybrid_agent.errors import InputError
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.domains import domain_of
from hybrid_agent.types import Budget, Control, Exchange, Window
from tests.unit.decoder_models import model, tokenizer

NOUNS = ("salmon", "rocket", "zebra", "violet", "walnut")
KNOWN = (*NOUNS, *"copy the file to and write into folder report key txt say for is done".split())
ALIASES = Aliases(KNOWN, NOUNS)
LEXICON = Lexicon(words=("true",), text=("done",), shell=("cp", "-r"), code=("print",), known=KNOWN, stand_ins=NOUNS)
STEP = "copy zorbel.txt to the folder quux_report, key ZORBEL_KEY"
WINDOW = Window(
    goal=f"{STEP} and say frell",
    phase="step",
    steps=(STEP, "say frell"),
    files=("quux_report/", "zorbel.txt"),
    notes=("copy walnut is done",),
    exchanges=(
        Exchange(call='{"tool":"fs","args":{"op":"read","path":"zorbel.txt"}}', obs="the Zorbel\\nfrell\n walnut zo7"),
    ),
)
BUDGETS = [
    Budget(max_tokens=40),
    Budget(k=3, temperature=1.2, max_tokens=40, expert_depth=2),
    Budget(k=3, temperature=0.5, draw="branch", max_tokens=40, expert_depth=2),
]


def texts(window: Window) -> str:
    return window.model_dump_json()


def test_unknown_words_change_everywhere_and_known_ones_stay() -> None:
    shown = ALIASES.of(WINDOW).window
    assert not re.search("zorbel|quux|frell", texts(shown), re.IGNORECASE)
    (name,) = re.findall(r"copy (\w+)\.txt to", shown.steps[0])
    assert name in NOUNS and name != "walnut"
    assert f"key {name.upper()}_KEY" in shown.goal and shown.files[1] == f"{name}.txt"
    assert json.loads(shown.exchanges[0].call)["args"]["path"] == f"{name}.txt"
    before, after = shown.exchanges[0].obs.split("\\n")  # a written "\n" in a file: no letter of the next word
    assert before == f"the {name.capitalize()}" and re.fullmatch(r"(\w+)\n walnut zo7", after)
    assert shown.notes == WINDOW.notes and shown.phase == WINDOW.phase


def test_all_is_changed_back() -> None:
    alias = ALIASES.of(WINDOW)
    shown, again = alias.window, Alias(WINDOW, {})
    for name in ("goal", "steps", "files", "notes"):
        before, after = getattr(WINDOW, name), getattr(shown, name)
        assert (alias.swapped(after) if name == "goal" else tuple(map(alias.swapped, after))) == before
    assert alias.swapped_call(shown.exchanges[0].call) == WINDOW.exchanges[0].call
    assert alias and not again and again.window is WINDOW


def test_a_text_may_name_the_noun_itself() -> None:
    alias = ALIASES.of(WINDOW)
    noun = alias.swapped("zorbel")
    assert noun in NOUNS and alias.swapped(noun) == "zorbel"
    assert alias.swapped(alias.swapped(f"zorbel {noun}")) == f"zorbel {noun}"


def test_a_word_keeps_its_noun_while_the_window_grows() -> None:
    first = WINDOW.model_copy(update={"exchanges": ()})
    more = WINDOW.model_copy(update={"exchanges": (*WINDOW.exchanges, Exchange(call="{}", obs="brumm zorbel"))})
    shown = [ALIASES.of(window).window for window in (first, WINDOW, more)]
    assert len({window.steps for window in shown}) == 1 and len({window.files for window in shown}) == 1
    assert shown[1].exchanges == shown[2].exchanges[:1]


def test_nothing_changes_where_all_is_known_or_nobody_says_what_is() -> None:
    known = Window(goal="copy the file walnut.txt to zebra", files=("walnut.txt", "ab/"))
    assert ALIASES.of(known).window is known
    assert Aliases().of(WINDOW).window is WINDOW
    assert Aliases(KNOWN, ()).of(WINDOW).window is WINDOW


def test_more_unknown_words_than_nouns_leave_the_last_as_they_are() -> None:
    goal = "copy " + " ".join(f"{a}oz{b}" for a in "bcdfg" for b in "kl")
    shown = ALIASES.of(Window(goal=goal)).window.goal.split()
    assert set(shown[1:6]) == set(NOUNS) and shown[6:] == goal.split()[6:]


PROSE_ALIASES = Aliases((*KNOWN, *"the is at it works".split()), NOUNS, ("report", "walnut"))


def test_a_quoted_text_of_known_words_is_shown_as_one_that_training_could_have_quoted() -> None:
    text = "the key is done"
    write = json.dumps({"tool": "fs", "args": {"op": "write", "path": "the.txt", "text": f"{text}\n"}})
    window = Window(
        goal=f"write '{text}' into the.txt",
        exchanges=(Exchange(call=write, obs=f"{text}, and the key\nthe key is do"),),
    )
    alias = PROSE_ALIASES.of(window)
    (shown,) = re.findall("'(.*)'", alias.window.goal)
    assert len(shown.split()) == 4 and set(shown.split()) <= set(NOUNS) and alias.window.goal.endswith("into the.txt")
    assert json.loads(alias.window.exchanges[0].call)["args"] == {
        "op": "write",
        "path": "the.txt",
        "text": f"{shown}\n",
    }
    assert alias.window.exchanges[0].obs == f"{shown}, and the key\nthe key is do"  # in part it is no such text
    assert alias.swapped_call(alias.window.exchanges[0].call) == json.dumps(json.loads(write), separators=(",", ":"))
    # What the decoder says of it in part is said in the words that stood there.
    assert alias.swapped(f"grep {shown.split()[1]} {shown.split()[-1]}") == "grep key done"
    assert alias.swapped(f"{shown.split()[1].capitalize()}_{shown.split()[-1].upper()}") == "Key_DONE"


@pytest.mark.parametrize(
    "quoted",
    ["report walnut", "walnut", "say the.txt", "the,key", "the = key", "3 4 5", "cp -r the key", "the  key"],
    ids=["as in training", "a word", "a file", "a row", "code", "numbers", "a command", "two spaces"],
)
def test_what_is_no_prose_stays(quoted: str) -> None:
    window = Window(goal=f"write `{quoted}` to key.txt")
    assert PROSE_ALIASES.of(window).window is window


def test_long_prose_and_other_names() -> None:
    many = Aliases(KNOWN, [f"noun{chr(97 + i)}" for i in range(26)], ("report",))
    text = "It's done, say the key: 2 for the folder and the report!"
    window = Window(goal=f'write "{text}" into key.txt')
    shown = [many.of(window, naming) for naming in range(3)]
    assert len({alias.window.goal for alias in shown}) == 3
    for alias in shown:
        assert len(re.findall("noun[a-z]", alias.window.goal)) == 5 and alias.swapped(alias.window.goal) == window.goal


@given(st.lists(st.text("aZbQ rkt\\n_-./7é\n\"'{}", max_size=30), min_size=1, max_size=4), st.integers(0, 3))
def test_any_text_comes_back(parts: list[str], cut: int) -> None:
    call = json.dumps({"args": {"text": parts[0], "more": parts}})
    exchanges = (Exchange(call=call, obs=parts[-1]), Exchange(call=parts[0], obs=""))
    window = Window(goal=parts[0] + "rkt zebra", steps=tuple(parts[cut:]), files=tuple(parts), exchanges=exchanges)
    alias = ALIASES.of(window) if cut else PROSE_ALIASES.of(window.model_copy(update={"steps": ("say 'it works'",)}))
    assert tuple(map(alias.swapped, alias.window.files)) == window.files
    assert alias.swapped(alias.window.goal) == window.goal
    back = alias.swapped_call(alias.window.exchanges[0].call)
    assert json.loads(back) == json.loads(call)


@functools.cache
def decoder(aliases: bool) -> HfDecoder:
    return HfDecoder(model(), tokenizer(), call_schema(), LEXICON, DecoderOptions(aliases=aliases))


@pytest.mark.parametrize("budget", BUDGETS, ids=["greedy", "sampled", "branches"])
def test_a_decoder_writes_of_the_words_what_it_writes_of_the_nouns(budget: Budget) -> None:
    alias = ALIASES.of(WINDOW)
    told: list[str] = []
    found = decoder(True).propose(WINDOW, budget, Control(), lambda s: told.append(s.text) is not None)
    plain = decoder(False).propose(alias.window, budget, Control())
    assert [s.text for s in found] == [alias.swapped_call(s.text) for s in plain]
    assert [s.logprob for s in found] == pytest.approx([s.logprob for s in plain], abs=1e-5)
    assert sorted(told) == sorted(s.text for s in found)
    assert not any(re.search("salmon|rocket|zebra|violet", s.text) for s in found)


def test_the_same_in_a_batch_and_in_what_is_told_on_the_way() -> None:
    budget = Budget(k=2, temperature=1.2, max_tokens=80, expert_depth=2)
    expected = decoder(True).propose(WINDOW, budget, Control())
    told: list[str] = []
    with BatchedDecoder(HfDecoder(model(), tokenizer(), call_schema(), LEXICON), BatchOptions(rows=8)) as batched:
        found = batched.propose(WINDOW, budget, Control(), partial=lambda _, text: told.append(text))
    assert [s.text for s in found] == [s.text for s in expected]
    assert told and all(any(s.text.startswith(text[:20]) for s in found) for text in told)


def test_no_unfinished_text_shows_a_stand_in_under_any_naming() -> None:
    budget, told = Budget(k=4, temperature=0.3, draw="rename", max_tokens=80), list[str]()
    alone = decoder(True)
    with BatchedDecoder(HfDecoder(model(), tokenizer(), call_schema(), LEXICON), BatchOptions(rows=8)) as batched:
        for window in map(scene, range(20)):
            batched.propose(window, budget, Control(), partial=lambda _, text: told.append(text))
            with watched(Live(lambda: False, lambda _, tokens: told.append(alone.text_so_far(tokens)), every=10)):
                alone.propose(window, budget, Control())
    assert any("zorbel" in text or "frell" in text or "quux" in text for text in told)
    # The last word may be cut off, and then it is no whole word to be changed back.
    assert not any(re.search(r"(salmon|rocket|zebra|violet|walnut)[^a-z]", text) for text in told)


def test_a_call_is_read_as_it_would_be_written() -> None:
    (written,) = decoder(True).propose(WINDOW, Budget(max_tokens=80), Control())
    (read,) = Reader(decoder(True)).read(WINDOW, [written.text])
    alias = ALIASES.of(WINDOW)
    (plain,) = Reader(decoder(False)).read(alias.window, [alias.swapped_call(written.text)])
    assert read.text == written.text
    assert read.model_copy(update={"text": ""}) == plain.model_copy(update={"text": ""})


def scene(number: int) -> Window:
    goal = f"write zorbel{number}.py and copy quux.txt to the folder frell"
    return Window(goal=goal, phase="step", steps=(goal,), files=("quux.txt", f"zorbel{number}.py"))


def greedy(window: Window, naming: int) -> tuple[str, float]:
    """What is written of the window under a naming, and its log-probability."""
    alias = decoder(True).aliases.of(window, naming)
    (segment,) = decoder(False).propose(alias.window, Budget(max_tokens=40), Control())
    return alias.swapped_call(segment.text), segment.logprob


def test_candidates_by_other_names_are_votes() -> None:
    budget, several = Budget(k=4, temperature=0.3, draw="rename", max_tokens=40), 0
    for window in map(scene, range(12)):
        ballots = [greedy(window, naming) for naming in range(4)]
        if domain_of(ballots[0][0]) == "code":
            continue
        found = decoder(True).propose(window, budget, Control())
        assert [s.text for s in found] == list(dict.fromkeys(text for text, _ in ballots))
        for segment in found:
            share = sum(math.exp(logprob) for text, logprob in ballots if text == segment.text) / 4
            assert segment.logprob == pytest.approx(math.log(share), abs=1e-3)
        several += len(found) > 1
    assert several >= 3


def test_code_and_windows_without_names_get_branches() -> None:
    rename, branch = (Budget(k=3, temperature=0.3, draw=draw, max_tokens=40) for draw in ("rename", "branch"))
    scenes = [window for window in map(scene, range(40)) if domain_of(greedy(window, 0)[0]) == "code"]
    assert scenes
    for window in (*scenes, Window(goal="say the key")):
        found = decoder(True).propose(window, rename, Control())
        assert [s.text for s in found] == [s.text for s in decoder(True).propose(window, branch, Control())]


def test_the_lexicon_carries_both_lists_and_may_do_without() -> None:
    assert Lexicon.from_json(LEXICON.to_json()) == LEXICON
    old = {k: v for k, v in json.loads(LEXICON.to_json()).items() if k not in ("known", "stand_ins")}
    assert Lexicon.from_json(json.dumps(old)).known == ()
    with pytest.raises(InputError, match="stand_ins"):
        Lexicon.from_json(json.dumps({**old, "stand_ins": "salmon"}))


def test_a_clause_barred_later_is_barred_although_the_text_is_the_same() -> None:
    shipped = HfDecoder.from_folder(bundle_folder(), call_schema(), DecoderOptions(threads=1), parts={})
    goal = "copy zorbel.txt to vault, delete the line two from frell.md and list the files of vault"

    def steps(window: Window, budget: Budget) -> list[list[str]]:
        return [json.loads(s.text)["args"]["steps"] for s in shipped.propose(window, budget, Control())]

    (plan,) = steps(Window(goal=goal), Budget())
    clause = max(plan, key=len)
    assert "," in clause or " and " in clause
    barred = Window(goal=goal, barred=(clause,))
    for draw in ("sample", "branch", "rename"):
        found = steps(barred, Budget(k=3, temperature=0.5, draw=draw))  # type: ignore[arg-type]
        assert found and not any(clause in step for each in found for step in each)
