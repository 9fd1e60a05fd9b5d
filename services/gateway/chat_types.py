"""The body of POST /v1/chat/completions, as far as it is understood. What is not is refused by name.

The fields and their meaning are those of OpenAI's Chat Completions API.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SEED = 2**63
Text = Annotated[str, Field(max_length=1_000_000)]


class Part(BaseModel):
    """Base: unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TextPart(Part):
    """A piece of a message; only text is understood."""

    type: Literal["text"]
    text: Text


Content = Text | Annotated[tuple[TextPart, ...], Field(max_length=1000)]


class SpokenMessage(Part):
    """What somebody says to the model."""

    role: Literal["system", "developer", "user"]
    content: Content
    name: str | None = None


class CalledFunction(Part):
    """A call that the model made before. `arguments` is JSON text."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    arguments: Text


class CalledTool(Part):
    """A tool call in an earlier message of the model."""

    id: str = Field(max_length=200)
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(Part):
    """What the model said before."""

    role: Literal["assistant"]
    content: Content | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: Annotated[tuple[CalledTool, ...], Field(max_length=128)] | None = None
    annotations: tuple[()] | None = None
    audio: None = None
    function_call: None = None

    @model_validator(mode="after")
    def _says_something(self) -> AssistantMessage:
        if self.content is None and not self.tool_calls and self.refusal is None:
            raise ValueError("a message of the assistant needs content or tool_calls")
        return self


class ToolMessage(Part):
    """What a tool call came to."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str = Field(max_length=200)


Message = Annotated[SpokenMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class FunctionSpec(Part):
    """A function that the model may call. Its arguments always satisfy `parameters`, `strict` or not."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolSpec(Part):
    """A tool that the model may use."""

    type: Literal["function"]
    function: FunctionSpec


class FunctionName(Part):
    """Names a function."""

    name: str = Field(max_length=64)


class NamedTool(Part):
    """The tool that must be called."""

    type: Literal["function"]
    function: FunctionName


class TextFormat(Part):
    """Free text."""

    type: Literal["text"]


class ObjectFormat(Part):
    """Any JSON object."""

    type: Literal["json_object"]


class NamedSchema(Part):
    """A JSON Schema (draft 2020-12). The answer always satisfies it, `strict` or not."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class SchemaFormat(Part):
    """JSON that satisfies a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


Format = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]


class StreamOptions(Part):
    """`include_usage` adds a last chunk that counts tokens."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


Stop = Annotated[str, Field(min_length=1, max_length=200)]
One = Annotated[float, Field(ge=1, le=1)]
Zero = Annotated[float, Field(ge=0, le=0)]


class ChatRequest(Part):
    """A conversation to continue. Fields that only take their neutral value are there so that clients which always
    send them work; any other value is refused."""

    model: str = Field(min_length=1, max_length=200)
    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=2000)]
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    n: int | None = Field(default=None, ge=1, le=16)
    seed: int | None = Field(default=None, ge=-SEED, lt=SEED)
    stop: Stop | Annotated[tuple[Stop, ...], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: Format | None = None
    tools: Annotated[tuple[ToolSpec, ...], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    top_p: One | None = None
    presence_penalty: Zero | None = None
    frequency_penalty: Zero | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    modalities: tuple[Literal["text"]] | None = None
    audio: None = None
    prediction: None = None
    reasoning_effort: None = None
    verbosity: None = None
    web_search_options: None = None
    functions: None = None
    function_call: None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ChatRequest:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("give max_tokens or max_completion_tokens, not both")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only for stream=true")
        names = [tool.function.name for tool in self.tools or ()]
        if len(set(names)) < len(names):
            raise ValueError("two tools have the same name")
        if isinstance(self.tool_choice, NamedTool) and self.tool_choice.function.name not in names:
            raise ValueError("tool_choice names a function that is not among the tools")
        if self.tool_choice == "required" and not names:
            raise ValueError("tool_choice is required, but there are no tools")
        return self


NEUTRAL_ONLY = frozenset(
    "store top_p presence_penalty frequency_penalty logprobs top_logprobs logit_bias modalities audio prediction "
    "reasoning_effort verbosity web_search_options functions function_call".split()
)
