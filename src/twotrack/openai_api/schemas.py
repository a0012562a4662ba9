"""Requests of that API: what is obeyed, what is ignored because it changes no answer, what is refused."""

from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from twotrack.core.language import Text
from twotrack.openai_api.errors import UnsupportedParameter
from twotrack.serving.chat.schemas import ModelName, Stop

# Of a long list that does not fit, one error is enough; a list for each element would fill the memory.
Ids = Annotated[list[Annotated[int, Field(strict=True)]], Field(max_length=1_000_000, fail_fast=True)]
Texts = Annotated[list[str], Field(max_length=2048, fail_fast=True)]

_UNKNOWN = Text("nobody here knows it", "알 수 없는 이름입니다")
_NOT_HERE = Text("this studio cannot do that", "이 스튜디오에 없는 기능입니다")
_TEXT_ONLY = Text("only text is understood", "텍스트만 지원합니다")

# Bookkeeping and hints of other servers: with or without them the answer is the same.
_IGNORED = frozenset(
    "user metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention prediction "
    "parallel_tool_calls".split()
)
# Parameter → the values that ask for nothing (besides null).
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "reasoning_effort": (),
    "verbosity": (),
    "web_search_options": (),
    "suffix": ("",),
    # Of other servers.
    "top_k": (0, -1),
    "min_p": (0,),
    "repetition_penalty": (1,),
    "repeat_penalty": (1,),
}


class _Request(BaseModel):
    """Unknown fields are kept, so that `check` can say something useful about each."""

    model_config = ConfigDict(frozen=True, extra="allow")

    def refuse_what_would_be_ignored(self) -> None:
        """
        Raises:
            UnsupportedParameter: a field that asks for something this studio does not do.
        """
        for name, value in (self.model_extra or {}).items():
            if value is None or name in _IGNORED:
                continue
            if name not in _NEUTRAL:
                known = [*type(self).model_fields, *_NEUTRAL]
                near = get_close_matches(name, known, n=1)
                raise UnsupportedParameter(what=name, why=_did_you_mean(near[0]) if near else _UNKNOWN)
            if value not in _NEUTRAL[name]:
                raise UnsupportedParameter(what=name, why=_NOT_HERE)


def _did_you_mean(name: str) -> Text:
    return Text(
        f"nobody here knows it; did you mean {name!r}?", f"알 수 없는 이름입니다. 혹시 {name!r}인가요?"
    )


class StreamOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    include_usage: bool = False


class Generation(_Request):
    model: ModelName = Field(description="name or id of a variant")
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    n: int | None = Field(default=None, ge=1, le=32)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    gains: Any = Field(
        default=None,
        description="for all adapters of the variant, instead of their own: a number from −1 to 2, "
        "rows × columns of such numbers, or a board with its fields (cells, expansion, points). Without "
        'adapters, rows × (attn, mlp) turn the base\'s own branches; {"adapters": …, "base": …} sets '
        "either or both",
    )

    @property
    def stops(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class TextPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    text: str | None = None


class ChatMessage(_Request):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None

    # A speaker's name reaches no template; the others have meaning only with a value.
    _harmless: ClassVar[frozenset[str]] = frozenset({"name", "annotations", "id", "type"})

    def plain(self) -> dict[str, str]:
        """The message as templates see it: role and text.

        Raises:
            UnsupportedParameter: tools, images, sound, or no text at all.
        """
        if self.role in ("tool", "function"):
            raise UnsupportedParameter(what="messages", why=_NOT_HERE)
        for name, value in (self.model_extra or {}).items():
            if value not in (None, [], "") and name not in self._harmless:
                raise UnsupportedParameter(what=f"messages.{name}", why=_NOT_HERE)
        if self.content is None:
            raise UnsupportedParameter(what="messages.content", why=_TEXT_ONLY)
        role = "system" if self.role == "developer" else self.role
        if isinstance(self.content, str):
            return {"role": role, "content": self.content}
        if any(part.type != "text" or part.text is None for part in self.content):
            raise UnsupportedParameter(what="messages.content", why=_TEXT_ONLY)
        return {"role": role, "content": "\n".join(part.text or "" for part in self.content)}


class ChatRequest(Generation):
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    max_tokens: int | None = Field(default=None, ge=1, le=2**31 - 1)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=2**31 - 1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)


class CompletionRequest(Generation):
    prompt: str | Texts | Ids | Annotated[list[Ids], Field(max_length=2048, fail_fast=True)]
    # 16 is what that API does when nothing is said; chat completions have no such default.
    max_tokens: int | None = Field(default=16, ge=0, le=2**31 - 1)
    logprobs: int | None = Field(default=None, ge=0, le=20)
    echo: bool | None = False
    best_of: int | None = Field(default=None, ge=1, le=32)


class EmbeddingRequest(_Request):
    model: ModelName = Field(description="the default embedder, or one that a collection was made with")
    input: str | Texts
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(default=None, ge=1)
    # Not OpenAI's: many servers know it, for models that tell a question from what answers it.
    input_type: Literal["query", "passage"] = "passage"

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input
