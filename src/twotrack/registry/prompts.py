"""Chats → token ids and token ids → text, for every base, the same for every engine.

Message contents are text and nothing else: whatever they say, they cannot become a special token and so
neither end a turn nor begin one. (Where turns are marked by ordinary words, as KoAlpaca's are, no
tokenizer can tell a forged one from a real one; such a model has no turns to forge.)
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.core.errors import InvalidInput, encodable
from twotrack.registry.codec_file import MARK_END, MARK_START, CodecFile, mark
from twotrack.registry.layout import Layout
from twotrack.registry.long_text import encode_long
from twotrack.registry.sandbox import Limits, TemplateSandbox
from twotrack.registry.schemas import Base
from twotrack.registry.text_decoder import ByteDecoder, TextDecoder, WindowDecoder, from_byte_alphabet

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# A noncharacter that is put into the spelling of special tokens in messages while the template runs.
_ESCAPE = "\ufdd2"
_RESERVED = re.compile(f"[{MARK_START}{MARK_END}{_ESCAPE}]")
_ROLE = re.compile(r"[A-Za-z_]{1,32}")

# From here on encoding takes milliseconds, which belong into a thread.
_LONG_TEXT = 8_192
# So many bases keep their template's process; the others start it again when they are used.
_WARM = 4


class PromptCodec:
    """One base's template and tokenizer. Safe to use from many tasks at once."""

    def __init__(self, model: str, folder: Path, *, limits: Limits | None = None) -> None:
        """`folder` is what `ensure_tokenizer` made; `model` names the base in errors."""
        from tokenizers import Tokenizer

        file = CodecFile.model_validate_json((folder / "codec.json").read_bytes())
        self._tokenizer = Tokenizer.from_file(str(folder / "codec_tokenizer.json"))
        self._special = file.special
        self._special_ids = frozenset(file.special.values())
        self._plain_added = {token_id: text for text, token_id in file.plain_added.items()}
        self._corrected = _corrections(self._tokenizer, file)
        self._pattern = _alternatives(file.special)
        self._edges = _edges(file.special)
        self._decoding, self._strip_first_space = file.decoding, file.strip_first_space
        self._sandbox = TemplateSandbox(file.template, model=model, constants=file.constants, limits=limits)
        self.stop_ids = frozenset(file.stop_ids)
        self.stop_texts = tuple(file.stop_texts)
        """Texts that end an answer, for models whose turns are marked by ordinary text."""
        self.begin_ids = tuple(file.begin_ids)
        """What the model expects before a text that is no chat (a BOS token, or nothing)."""
        self.vocabulary_size = file.vocabulary_size
        self.template = file.template
        self.template_source = file.template_source
        """Whose template it is; "plain" means that the base was never taught to chat."""
        self.template_hash = hashlib.sha256(file.template.encode()).hexdigest()

    async def render(
        self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = True
    ) -> str:
        """The prompt as text, to be read by people. To be read by the model it is `chat_ids`.

        Raises:
            TemplateFailed: the template refuses these messages, or breaks its limits.
        """
        return await self._sandbox.render(
            [_checked(message) for message in messages], add_generation_prompt=add_generation_prompt
        )

    async def chat_ids(
        self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = True
    ) -> list[int]:
        """The prompt as token ids. Special tokens come from the template alone, never from a message.

        Raises:
            InvalidInput: a message's role is no plain word.
            TemplateFailed: the template refuses these messages, or breaks its limits.
        """
        escaped = [
            {key: text if key == "role" else self._escape(text) for key, text in _checked(message).items()}
            for message in messages
        ]
        text = await self._sandbox.render(escaped, add_generation_prompt=add_generation_prompt)
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(self._encode_rendered, text)
        return self._encode_rendered(text)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, in which special tokens are recognized and none is added.

        Takes about a second for a million tokens: on an event loop, use `text_ids`.
        """
        return self._encode_rendered(_RESERVED.sub("\ufffd", encodable(text)))

    async def text_ids(self, text: str) -> list[int]:
        """`encode` without holding up the event loop."""
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(self.encode, text)
        return self.encode(text)

    async def plain_ids(self, text: str) -> list[int]:
        """Token ids of `text`, in which no special token is recognized, as in a message."""
        escaped = self._escape(text)
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(self._encode_rendered, escaped)
        return self._encode_rendered(escaped)

    def decoder(self) -> TextDecoder:
        """A decoder for one answer; special tokens are left out."""
        if self._decoding == "other":
            return WindowDecoder(self._tokenizer, self._special_ids)
        return ByteDecoder(self.token_bytes, strip_first_space=self._strip_first_space)

    def decode(self, token_ids: Sequence[int]) -> str:
        decoder = self.decoder()
        return "".join([*map(decoder.push, token_ids), decoder.finish()])

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token, which need not be whole characters; empty for special and unknown ones."""
        if token_id in self._special_ids:
            return b""
        if (added := self._plain_added.get(token_id)) is not None:
            return added.encode()
        text = self._tokenizer.id_to_token(token_id)
        if text is None:
            return b""
        if self._decoding == "bytes":
            return from_byte_alphabet(text)
        if found := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", text):
            return bytes.fromhex(found[1])
        return text.replace("▁", " ").encode()

    def token_text(self, token_id: int) -> str:
        """How to show one token to people: special tokens by name."""
        if token_id in self._special_ids:
            return next(text for text, found in self._special.items() if found == token_id)
        return self.token_bytes(token_id).decode(errors="replace")

    def rest(self) -> None:
        """Give back the template's process until it is needed again."""
        self._sandbox.rest()

    def close(self) -> None:
        self._sandbox.close()

    def _escape(self, content: str) -> str:
        """`content` with every special token's text broken by an escape character."""
        text = _RESERVED.sub("\ufffd", encodable(content))
        if self._pattern is None:
            return text
        while self._pattern.search(text):
            # Again, since special tokens can overlap.
            text = self._pattern.sub(lambda found: found[0][0] + _ESCAPE + found[0][1:], text)
        # A message may end with the beginning of a special token and the next begin with its end. Blanks at
        # the ends stay outermost, so that a template that trims them still does.
        body = text.strip()
        beginnings, endings, longest = self._edges
        sizes = range(1, min(longest, len(body)) + 1)
        before = _ESCAPE if any(body[:size] in endings for size in sizes) else ""
        after = _ESCAPE if any(body[len(body) - size :] in beginnings for size in sizes) else ""
        if before or after:
            start = text.index(body)
            text = text[:start] + before + body + after + text[start + len(body) :]
        return text

    def _encode_rendered(self, text: str) -> list[int]:
        if self._pattern is not None:
            text = self._pattern.sub(lambda found: mark(self._special[found[0]]), text)
        text = text.replace(_ESCAPE, "")
        ids = encode_long(self._tokenizer, text)
        if self._corrected:
            ids = [self._corrected.get(token_id, token_id) for token_id in ids]
        return ids


class Prompts:
    """The codecs of a studio's bases, made on first use and kept."""

    def __init__(self, layout: Layout, *, limits: Limits | None = None) -> None:
        self._layout = layout
        self._limits = limits
        self._codecs: OrderedDict[str, PromptCodec] = OrderedDict()

    async def for_base(self, base: Base) -> PromptCodec:
        """The codec of `base`.

        Raises:
            TokenizerUnsupported: it has no tokenizer that can be used here.
        """
        from twotrack.registry.conversion import ensure_tokenizer

        codec = self._codecs.get(base.id)
        if codec is None:
            folder = await ensure_tokenizer(self._layout, base)
            codec = await asyncio.to_thread(PromptCodec, base.name, folder, limits=self._limits)
            # Somebody may have been faster; one codec for each base is enough.
            codec = self._codecs.setdefault(base.id, codec)
        self._codecs.move_to_end(base.id)
        for resting in list(self._codecs.values())[:-_WARM]:
            resting.rest()
        return codec

    async def close(self) -> None:
        for codec in self._codecs.values():
            await asyncio.to_thread(codec.close)
        self._codecs.clear()


def _checked(message: Mapping[str, str]) -> dict[str, str]:
    role = message.get("role")
    # Templates put the role between special tokens.
    if not isinstance(role, str) or not _ROLE.fullmatch(role):
        raise InvalidInput(what="role", value=role, why="a role is a word such as user, assistant or system")
    return dict(message)


def _alternatives(special: Mapping[str, int]) -> re.Pattern[str] | None:
    """Matches any special token, of several at the same place the longest."""
    if not special:
        return None
    return re.compile("|".join(re.escape(text) for text in sorted(special, key=len, reverse=True)))


def _edges(special: Mapping[str, int]) -> tuple[frozenset[str], frozenset[str], int]:
    """All proper beginnings and all proper endings of special tokens, and the longest one's length."""
    beginnings = frozenset(text[:cut] for text in special for cut in range(1, len(text)))
    endings = frozenset(text[cut:] for text in special for cut in range(1, len(text)))
    return beginnings, endings, max(map(len, special), default=1) - 1


def _corrections(tokenizer: "Tokenizer", file: CodecFile) -> dict[int, int]:
    """Ids that the respelled tokenizer gives to added tokens → the ids that the model knows them by."""
    spelled: dict[str, int] = {mark(token_id): token_id for token_id in file.special.values()}
    known: dict[str, int] = {**spelled, **file.plain_added}
    found: dict[str, Any] = {text: tokenizer.token_to_id(text) for text in known}
    return {found[text]: right for text, right in known.items() if found[text] not in (None, right)}
