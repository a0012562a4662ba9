"""A model on another OpenAI-compatible server (vLLM, llama.cpp's, …) behind the Engine protocol.

Prompts go out as token ids through /v1/completions, so templates stay ours. Ids come back where the server
tells them: vLLM by `return_token_ids`, llama.cpp with its log-probabilities. Where it tells text alone, the
text is tokenized here: it reads the same, though the server may have cut it into other tokens.

Adapters and gains stay on the local engines; what a remote server should serve is exported with its gains
baked in. Its own limits, batching and prefix cache are its own.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Self

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.engines.checks import check_request, check_score
from twotrack.engines.port import (
    AdapterGain,
    End,
    EngineDied,
    EngineFailed,
    EngineFailedToStart,
    EngineKind,
    EngineSpec,
    Health,
    Request,
    Token,
)

if TYPE_CHECKING:
    import httpx
    from tokenizers import Tokenizer

KEY_VARIABLE = "TWOTRACK_REMOTE_KEY"
"""Environment variable with the bearer key of remote servers."""

_LINE_LIMIT = 4 * 2**20
"""Bytes of one line; beyond it the server is not what it says it is."""
_READ_S = 300.0
"""Between two bytes. A long prompt behind others' may take minutes to its first token."""

_NO_GAINS = Text(
    "gains act in the local engines only; a remote server gets them baked in by an export",
    "게인은 로컬 엔진에서만 작동합니다. 원격 서버에는 내보낼 때 가중치에 반영됩니다",
)
_NO_SCORES = Text(
    "this server gives no log-probabilities of a prompt (vLLM does)",
    "이 서버는 프롬프트의 로그 확률을 제공하지 않습니다(vLLM은 제공)",
)


class RemoteEngine:
    """An Engine on another server; made by `start`."""

    def __init__(
        self, spec: EngineSpec, model_name: str, client: "httpx.AsyncClient", tokenizer: "Tokenizer"
    ) -> None:
        self.spec = spec
        self._name = model_name
        self._client = client
        self._tokenizer = tokenizer
        self._stopped = asyncio.Event()

    @classmethod
    async def start(cls, spec: EngineSpec, model_name: str) -> Self:
        """Look whether the server is there and has the model.

        Raises:
            EngineFailedToStart
        """
        import httpx
        from tokenizers import Tokenizer

        assert spec.endpoint is not None
        key = os.environ.get(KEY_VARIABLE)
        client = httpx.AsyncClient(
            base_url=spec.endpoint.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(15, read=_READ_S),
            # Prompts are private: they go to that server, and through no proxy that a shell happens to name.
            trust_env=False,
        )
        tokenizer = await asyncio.to_thread(Tokenizer.from_file, str(spec.model / "tokenizer.json"))
        engine = cls(spec, model_name, client, tokenizer)
        try:
            offered = await engine._models()
        except (EngineDied, EngineFailed) as error:
            await client.aclose()
            raise EngineFailedToStart(model=model_name, why=error.values["why"]) from error
        if spec.endpoint_model is not None and spec.endpoint_model not in offered:
            await client.aclose()
            raise EngineFailedToStart(
                model=model_name, why=f"{spec.endpoint} has no model {spec.endpoint_model}"
            )
        return engine

    @property
    def kind(self) -> EngineKind:
        return "openai_compatible"

    @property
    def alive(self) -> bool:
        return not self._stopped.is_set()

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        _refuse_gains(request.gains)
        request = check_request(
            request,
            context_length=self.spec.context_length,
            vocabulary_size=self._tokenizer.get_vocab_size(),
            adapters=(),
        )
        sampling = request.sampling
        body = {
            "model": self.spec.endpoint_model or "",
            "prompt": list(request.prompt),
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
            "stop_token_ids": sorted(sampling.stop_ids),
            "skip_special_tokens": False,
            # Asked for always: for some servers the only way to learn the ids.
            "logprobs": max(sampling.logprobs, 1),
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
            # Servers have habits of their own; the port knows temperature and top_p only.
            "top_k": 0 if sampling.temperature > 0 else 1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "repeat_penalty": 1.0,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed % (1 << 31)
        completed = 0
        reason: Literal["stop", "length"] = "stop"
        usage: dict[str, Any] = {}
        async with self._post("completions", body) as events:
            async for event in events:
                usage = event.get("usage") or usage
                for choice in event.get("choices") or ():
                    for token in self._tokens(choice, sampling.logprobs):
                        if token.id in sampling.stop_ids:
                            yield self._end("stop", request, usage, completed)
                            return
                        completed += 1
                        yield token
                        if completed >= sampling.max_tokens:
                            reason = "length"
                    if choice.get("finish_reason") == "length":
                        reason = "length"
        yield self._end(reason, request, usage, completed)

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        """By vLLM's `prompt_logprobs`.

        Raises:
            EngineFailed: the server does not have that.
        """
        _refuse_gains(gains or {})
        check_score(
            tokens,
            start,
            context_length=self.spec.context_length,
            vocabulary_size=self._tokenizer.get_vocab_size(),
        )
        body = {
            "model": self.spec.endpoint_model or "",
            "prompt": list(tokens),
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 0,
        }
        async with self._post("completions", body) as events:
            answer = [event async for event in events]
        try:
            given = answer[0]["choices"][0]["prompt_logprobs"]
            return [float(given[i][str(tokens[i])]["logprob"]) for i in range(start, len(tokens))]
        except (LookupError, TypeError, ValueError):
            raise EngineFailed(model=self._name, why=_NO_SCORES) from None

    async def health(self) -> Health:
        await self._models()
        return Health(self.kind, "remote", self.spec.context_length, None, (), 0)

    async def stop(self) -> None:
        self._stopped.set()
        await self._client.aclose()

    def _tokens(self, choice: Mapping[str, Any], wanted: int) -> list[Token]:
        """The tokens of one event, by whatever this server tells about them."""
        text = str(choice.get("text") or "")
        logprobs = choice.get("logprobs") or {}
        ids = choice.get("token_ids")
        if isinstance(logprobs.get("content"), list):
            # llama.cpp's server. Of a character cut across tokens it tells the last token only.
            entries = logprobs["content"]
            if b"".join(bytes(entry.get("bytes") or ()) for entry in entries) == text.encode():
                return [_chat_token(entry, wanted) for entry in entries]
        elif isinstance(tokens := logprobs.get("tokens"), list):
            named = [_named_id(token) for token in tokens]
            found = ids if isinstance(ids, list) else named
            if len(found) == len(named) and None not in found:
                return [_completion_token(logprobs, i, int(number), wanted) for i, number in enumerate(found)]
        if isinstance(ids, list):
            return [Token(int(number)) for number in ids]
        return [Token(number) for number in self._tokenizer.encode(text, add_special_tokens=False).ids]

    def _end(self, reason: Any, request: Request, usage: Mapping[str, Any], completed: int) -> End:
        details = usage.get("prompt_tokens_details") or {}
        return End(reason, len(request.prompt), int(details.get("cached_tokens") or 0), completed)

    async def _models(self) -> list[str]:
        async with self._post("models", None) as events:
            answer = [event async for event in events]
        try:
            return [str(entry["id"]) for entry in answer[0]["data"]]
        except (LookupError, TypeError):
            raise EngineDied(model=self._name, why="its list of models cannot be read") from None

    @asynccontextmanager
    async def _post(
        self, path: str, body: dict[str, Any] | None
    ) -> AsyncGenerator[AsyncIterator[dict[str, Any]], None]:
        """The JSON objects of the answer: one, or the events of a stream.

        Raises:
            EngineDied: no answer, or it broke off. EngineFailed: the server refused this request.
        """
        import httpx

        if not self.alive:
            raise EngineDied(model=self._name, why=_STOPPED)
        try:
            method = "GET" if body is None else "POST"
            async with self._client.stream(method, path, json=body) as response:
                if response.status_code != 200:
                    await self._refused(response)
                yield self._events(response)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise EngineDied(
                model=self._name, why=_STOPPED if not self.alive else f"{self.spec.endpoint}: {why}"
            ) from error

    async def _refused(self, response: "httpx.Response") -> None:
        said = (await response.aread())[:2000].decode("utf-8", "replace")
        try:
            said = json.loads(said)["error"]["message"]
        except (ValueError, LookupError, TypeError):
            pass
        why = f"{self.spec.endpoint} answered {response.status_code}: {said}"
        if response.status_code in (401, 403):
            why += f" (the key is taken from {KEY_VARIABLE})"
        raise EngineFailed(model=self._name, why=why)

    async def _events(self, response: "httpx.Response") -> AsyncIterator[dict[str, Any]]:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            yield self._object(b"".join([line async for line in self._lines(response)]))
            return
        async for line in self._lines(response):
            if line.startswith(b"data:"):
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                yield self._object(data)
        raise EngineDied(model=self._name, why=f"{self.spec.endpoint} broke off its answer")

    async def _lines(self, response: "httpx.Response") -> AsyncIterator[bytes]:
        rest = b""
        async for received in response.aiter_bytes():
            *lines, rest = (rest + received).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > _LINE_LIMIT:
                raise EngineFailed(model=self._name, why=f"{self.spec.endpoint} sends an endless line")
        yield rest

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            start = data[:80].decode("utf-8", "replace")
            raise EngineFailed(model=self._name, why=f"{self.spec.endpoint} sent no JSON: {start}")
        if error := found.get("error"):
            said = error.get("message") if isinstance(error, dict) else error
            raise EngineFailed(model=self._name, why=f"{self.spec.endpoint}: {said}")
        return found


_STOPPED = Text("it was stopped", "중지됨")


def _refuse_gains(gains: Mapping[str, AdapterGain]) -> None:
    if gains:
        raise InvalidInput(what="gains", value=str(dict(gains))[:80], why=_NO_GAINS)


def _named_id(token: Any) -> int | None:
    """vLLM's "token_id:17" → 17."""
    head, _, number = str(token).partition(":")
    return int(number) if head == "token_id" and number.isdecimal() else None


def _chat_token(entry: Mapping[str, Any], wanted: int) -> Token:
    if wanted <= 0:
        return Token(int(entry["id"]))
    top = tuple((int(one["id"]), float(one["logprob"])) for one in entry.get("top_logprobs") or ())
    return Token(int(entry["id"]), float(entry["logprob"]), top[:wanted])


def _completion_token(logprobs: Mapping[str, Any], index: int, number: int, wanted: int) -> Token:
    if wanted <= 0:
        return Token(number)
    given = (logprobs.get("token_logprobs") or [None] * (index + 1))[index]
    listed = (logprobs.get("top_logprobs") or [{}] * (index + 1))[index] or {}
    found = [(_named_id(name), float(value)) for name, value in listed.items()]
    top = sorted(((i, value) for i, value in found if i is not None), key=lambda pair: -pair[1])
    return Token(number, None if given is None else float(given), tuple(top[:wanted]))
