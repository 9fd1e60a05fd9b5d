"""The one definition of everything that crosses a part boundary.

All models are frozen and reject unknown fields. The JSON schema for constrained decoding, the JSONL
trace format and (later) the proto mapping are derived from these classes. This module loads without
torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

TRACE_FORMAT = 1


class Record(BaseModel):
    """Base of all wire and storage types: frozen, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- calls and what comes back -----------------------------------------------------------------


class CallPolicy(Record):
    """Per-call limits. `timeout_s` is wall seconds."""

    allow_network: bool = False
    timeout_s: float = Field(default=8.0, gt=0, le=600)


class ToolCall(Record):
    """One action. `args` is validated by the tool named in `tool` (hybrid_agent.tools.registry)."""

    tool: str
    args: dict[str, Any]
    policy: CallPolicy = CallPolicy()


class Observation(Record):
    """What a call produced. A failed or denied call is an observation like any other.

    `denied` names the rule that stopped the call; `infra` marks trouble that is not the agent's
    fault (such episodes are masked, never punished). `changed` lists workspace paths the call wrote.
    """

    ok: bool
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    artifacts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    duration_ms: float = 0.0
    denied: str | None = None
    infra: bool = False


class Verdict(Record):
    """The gate's answer to one call, before anything acts. `fill` are limits that the gate put in place of the
    tool's default ones."""

    allow: bool
    rule: str = "default"
    reason: str = ""
    destructive: bool = False
    state_changing: bool = False
    approval: Literal["not_needed", "needed", "granted", "refused"] = "not_needed"
    fill: CallPolicy | None = None


# --- decoding ------------------------------------------------------------------------------------


class Control(Record):
    """What the planner tells the decode loop. Priors are probabilities over names."""

    tool_prior: dict[str, float] = {}
    expert_prior: dict[str, float] = {}
    risk: float = 0.0
    deliberate: bool = False


class Budget(Record):
    """Compute for one segment: candidates `k`, new tokens, sampling temperature (0 = greedy).

    `speculate` lets a draft model propose tokens (never changes what is written, only how fast); `shaping` is the
    strength α of the energy model's logit shaping, 0 = the plain decoder. `expert_depth` is how many experts may
    take part in a segment. `draw` says how candidates differ: each a sample, or branches of the greedy text, which
    are all different (hybrid_agent.decoder.branches); decoders that cannot branch sample.
    """

    k: int = Field(default=1, ge=1, le=64)
    draw: Literal["sample", "branch"] = "sample"
    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    seed: int = 0
    speculate: bool = False
    shaping: float = Field(default=0.0, ge=0, le=10)
    expert_depth: int = Field(default=1, ge=1, le=8)


class Schedule(Record):
    """Compute for one turn, as the scheduler sets it; `why` names the rule that did.

    `k` counts all candidates of the turn. `deliberate` asks for the deliberation template.
    """

    k: int = Field(default=1, ge=1, le=64)
    temperature: float = Field(default=0.0, ge=0)
    deliberate: bool = False
    speculate: bool = False
    shaping: float = Field(default=0.0, ge=0, le=10)
    expert_depth: int = Field(default=1, ge=1, le=8)
    why: str = "fixed"


class Effort(Record):
    """What one turn's choice cost: candidates asked for (`k`), finished, and cancelled by an early exit.

    `tokens` counts those of all candidates, `forced` the ones among them without a forward pass of their own.
    `vetoed` counts candidates that the energy model stopped.
    """

    k: int = 1
    drawn: int = 1
    cancelled: int = 0
    early: bool = False
    tokens: int = 0
    forced: int = 0
    vetoed: int = 0


class Segment(Record):
    """One candidate: `text` is the JSON of a tool call; `logprob` its total log-probability (nats).

    `tokens` counts all emitted tokens, `forced` those appended without a forward pass. `entropy` is the largest
    entropy (nats) of any choice made in it and `low` the log-probability of its least likely choice. The scorer
    adds `energy` (lower is better) and `p`, the calibrated probability that the call is right. `expert` names
    the adapter that wrote it.
    """

    text: str
    logprob: float = 0.0
    energy: float | None = None
    tokens: int = 0
    forced: int = 0
    complete: bool = True
    entropy: float = 0.0
    low: float = 0.0
    p: float | None = None
    expert: str | None = None


class Score(Record):
    """What the scorer says of one candidate: energy (lower is better) and calibrated pass probability."""

    energy: float
    p: float = Field(ge=0, le=1)


class Exchange(Record):
    """One call of the current step, with what the agent saw of its outcome."""

    call: str
    obs: str


class Window(Record):
    """All that a decoder may condition on for the next call.

    `phase` is `plan` (split the goal), `step` (work on `steps[index]`) or `finish`. `files` is a
    capped listing of the workspace at the start of the step. `notes` are one-line summaries of finished
    steps. `exchanges` are the calls of the current step only: older ones are folded into notes.
    """

    goal: str
    phase: Literal["plan", "step", "finish"] = "plan"
    steps: tuple[str, ...] = ()
    index: int = 0
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()


# --- checks: assertions on the workspace ----------------------------------------------------------
# Fields marked x-span are copied from the goal or the observed state (see hybrid_agent.constrain).

PathArg = Annotated[str, Field(min_length=1, max_length=400, json_schema_extra={"x-span": "path"})]
WordArg = Annotated[str, Field(max_length=400, json_schema_extra={"x-span": "word"})]
TextArg = Annotated[str, Field(max_length=20000, json_schema_extra={"x-span": "text"})]
LineArg = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"x-span": "line"})]
ShellArg = Annotated[str, Field(min_length=1, max_length=4000, json_schema_extra={"x-span": "shell"})]
CodeArg = Annotated[str, Field(max_length=20000, json_schema_extra={"x-span": "code"})]
ClauseArg = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"x-span": "clause"})]
ModeArg = Annotated[str, Field(pattern=r"^[0-7]{3,4}$", json_schema_extra={"x-span": "word"})]


class ExistsCheck(Record):
    """`path` exists and is of the given type (links are not followed for `link`)."""

    kind: Literal["exists"] = "exists"
    path: PathArg
    type: Literal["any", "file", "dir", "link"] = "any"


class AbsentCheck(Record):
    """Nothing is at `path` (not even a dangling link)."""

    kind: Literal["absent"] = "absent"
    path: PathArg


class EqualsCheck(Record):
    """The file's text equals `text`; one final newline on either side is ignored."""

    kind: Literal["equals"] = "equals"
    path: PathArg
    text: TextArg


class ContainsCheck(Record):
    """The file's text contains `text`."""

    kind: Literal["contains"] = "contains"
    path: PathArg
    text: TextArg


class LacksCheck(Record):
    """The file exists and its text does not contain `text`."""

    kind: Literal["lacks"] = "lacks"
    path: PathArg
    text: TextArg


class MatchesCheck(Record):
    """The file's text matches the Python regular expression (re.MULTILINE, search)."""

    kind: Literal["matches"] = "matches"
    path: PathArg
    pattern: TextArg


class ModeCheck(Record):
    """Permission bits equal the octal `mode` (e.g. "600")."""

    kind: Literal["mode"] = "mode"
    path: PathArg
    mode: ModeArg


class LinkCheck(Record):
    """`path` is a symbolic link whose stored target is `target`."""

    kind: Literal["link"] = "link"
    path: PathArg
    target: PathArg


class SameCheck(Record):
    """Two files have identical bytes."""

    kind: Literal["same"] = "same"
    path: PathArg
    other: PathArg


class ValueCheck(Record):
    """The value at dotted `key` of a JSON/YAML/INI/TOML/.env file equals `value` (compared as text)."""

    kind: Literal["value"] = "value"
    path: PathArg
    key: WordArg
    value: WordArg


class NoValueCheck(Record):
    """The structured file has no value at dotted `key`."""

    kind: Literal["no_value"] = "no_value"
    path: PathArg
    key: WordArg


class MemberCheck(Record):
    """The tar/zip archive at `path` has a member named `member` (or below that folder)."""

    kind: Literal["member"] = "member"
    path: PathArg
    member: PathArg


class CommandCheck(Record):
    """The shell command exits 0 in the sandbox (and prints `stdout`, stripped, if given)."""

    kind: Literal["command"] = "command"
    cmd: ShellArg
    stdout: str | None = None


Check = Annotated[
    ExistsCheck
    | AbsentCheck
    | EqualsCheck
    | ContainsCheck
    | LacksCheck
    | MatchesCheck
    | ModeCheck
    | LinkCheck
    | SameCheck
    | ValueCheck
    | NoValueCheck
    | MemberCheck
    | CommandCheck,
    Field(discriminator="kind"),
]


class CheckResult(Record):
    """One evaluated check; `detail` says what was found when it failed."""

    ok: bool
    detail: str = ""


# --- tasks ------------------------------------------------------------------------------------------


class SetupItem(Record):
    """One thing put into a fresh workspace before the agent starts.

    Exactly one of `text` (a file), `b64` (a binary file), `link` (symbolic link target), `dir`, or `run`
    (a shell command run in the sandbox, e.g. `git init`; `path` is then its working directory).
    """

    path: str = "."
    text: str | None = None
    b64: str | None = None
    link: str | None = None
    dir: bool = False
    run: str | None = None
    mode: str | None = Field(default=None, pattern=r"^[0-7]{3,4}$")

    @model_validator(mode="after")
    def _one_thing_inside(self) -> SetupItem:
        if self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f"path {self.path!r} leads out of the workspace")
        given = [self.text, self.b64, self.link, self.run, True if self.dir else None]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of text, b64, link, dir, run")
        return self


Split = Literal["train", "val", "test_names", "test_paraphrase", "test_composition"]


class Task(Record):
    """A goal with its starting workspace, the judge's checks and one gold solution.

    `template` names the wording(s) and `intents` the steps it is composed of: splits are by these, never
    by row. `gold` is the full list of calls, plan and finish included.
    """

    id: str
    pack: str
    family: str
    template: str
    intents: tuple[str, ...]
    split: Split
    goal: str
    setup: tuple[SetupItem, ...] = ()
    checks: tuple[Check, ...]
    gold: tuple[ToolCall, ...]
    max_steps: int = Field(default=24, ge=1)
    destructive: bool = False


# --- traces -------------------------------------------------------------------------------------------


class StepMs(Record):
    """Milliseconds spent in each part of one step."""

    plan: float = 0.0
    decode: float = 0.0
    score: float = 0.0
    gate: float = 0.0
    tool: float = 0.0


class Step(Record):
    """One turn of the loop as it is stored."""

    action: Literal["plan", "tool", "gen", "review"]
    content: str
    window: Window | None = None
    control: Control = Control()
    schedule: Schedule | None = None
    effort: Effort | None = None
    candidates: tuple[Segment, ...] = ()
    verdict: Verdict | None = None
    obs: Observation | None = None
    ok: bool = False
    snapshot: str | None = None
    ms: StepMs = StepMs()


class CodeArtifact(Record):
    """A source file the episode wrote; `ast` is a hash of its syntax tree (or of its text)."""

    path: str
    lang: str
    ast: str


class TestCounts(Record):
    """What the episode's checks said."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    logs: str = ""


Outcome = Literal["success", "fail", "partial", "infra_failure"]


class Trace(Record):
    """A whole episode, as read back from its JSONL file (header line, step lines, end line)."""

    format: int = TRACE_FORMAT
    run_id: str
    task_id: str | None = None
    goal: str
    seed: int = 0
    workspace: str = ""
    steps: tuple[Step, ...] = ()
    code_artifacts: tuple[CodeArtifact, ...] = ()
    tests: TestCounts = TestCounts()
    env: dict[str, str] = {}
    provenance: dict[str, str] = {}
    result: Outcome | None = None
    summary: str = ""
