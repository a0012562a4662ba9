"""What every engine demands of a request, checked before any work is done for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.engines.port import BASE, AdapterGain, PromptTooLong, Request, Sampling
from twotrack.equalizer.gains import check_gain
from twotrack.equalizer.grid import Grid

_FRACTION = Text("it lies above 0 and is at most 1", "0보다 크고 1 이하여야 합니다")
_POSITIVE = Text("it is at least 1", "1 이상이어야 합니다")


def check_request(
    request: Request,
    *,
    context_length: int,
    vocabulary_size: int,
    adapters: Sequence[str],
    grid: Grid | None = None,
) -> Request:
    """`request` with max_tokens clipped to the room that the prompt leaves, and a gain for every adapter.

    Raises:
        PromptTooLong: the prompt leaves no room for an answer.
        InvalidInput: see port.Engine.generate.
    """
    if len(request.prompt) >= context_length:
        raise PromptTooLong(prompt_tokens=len(request.prompt), context_length=context_length)
    check_ids(request.prompt, vocabulary_size)
    sampling = _check_sampling(request.sampling)
    room = context_length - len(request.prompt)
    return Request(
        prompt=request.prompt,
        sampling=replace(sampling, max_tokens=min(sampling.max_tokens, room)),
        gains=check_gains(request.gains, adapters, grid),
    )


def check_score(tokens: Sequence[int], start: int, *, context_length: int, vocabulary_size: int) -> None:
    """Raises PromptTooLong or InvalidInput."""
    if len(tokens) > context_length:
        raise PromptTooLong(prompt_tokens=len(tokens), context_length=context_length)
    check_ids(tokens, vocabulary_size)
    if not 1 <= start < len(tokens):
        raise InvalidInput(what="start", value=start, why=_between(1, len(tokens) - 1))


def check_ids(tokens: Sequence[int], vocabulary_size: int) -> None:
    """Raises InvalidInput when there is no token, or one outside the vocabulary."""
    if not tokens:
        raise InvalidInput(what="prompt", value=[], why=Text("it has no token", "토큰이 하나도 없습니다"))
    lowest, highest = min(tokens), max(tokens)
    if lowest < 0 or highest >= vocabulary_size:
        raise InvalidInput(
            what="token id",
            value=lowest if lowest < 0 else highest,
            why=Text(
                f"the model's ids go from 0 to {vocabulary_size - 1}",
                f"모델의 토큰 번호는 0부터 {vocabulary_size - 1}까지입니다",
            ),
        )


def check_gains(
    gains: Mapping[str, AdapterGain], adapters: Sequence[str], grid: Grid | None = None
) -> dict[str, AdapterGain]:
    """A gain or a table of gains for each of `adapters`, in their order, 0 where `gains` names none; and
    under BASE those of the base's own branches, unless all of them are 1, which is the base as it is.

    Raises:
        InvalidInput: no gain, a table of another shape than layers × columns of `grid`, or an adapter that is
            not among them.
    """
    for name in gains:
        if name not in adapters and name != BASE:
            known = ", ".join(adapters) or "-"
            raise InvalidInput(
                what="adapter",
                value=name,
                why=Text(f"the engine has loaded: {known}", f"엔진이 불러온 어댑터: {known}"),
            )
    checked = {name: _check_gain(gains.get(name, 0.0), grid) for name in adapters}
    own = _check_gain(gains.get(BASE, 1.0), grid and grid.branches)
    if own != 1.0 and not (isinstance(own, tuple) and all(gain == 1.0 for row in own for gain in row)):
        checked[BASE] = own
    return checked


def _check_gain(gain: AdapterGain, grid: Grid | None) -> AdapterGain:
    if not isinstance(gain, tuple):
        return check_gain(gain)
    layers, columns = (0, 0) if grid is None else (grid.layers, len(grid.columns))
    if len(gain) != layers or any(len(row) != columns for row in gain):
        raise InvalidInput(
            what="gains",
            value=f"{len(gain)} × {len(gain[0]) if gain else 0}",
            why=Text(
                f"this engine takes {layers} layers × {columns} columns",
                f"이 엔진은 레이어 {layers}개 × 열 {columns}개를 받습니다",
            ),
        )
    return tuple(tuple(map(check_gain, row)) for row in gain)


def _check_sampling(sampling: Sampling) -> Sampling:
    if not 0 <= sampling.temperature <= 2:
        raise InvalidInput(what="temperature", value=sampling.temperature, why=_between(0, 2))
    if not 0 < sampling.top_p <= 1:
        raise InvalidInput(
            what="top_p",
            value=sampling.top_p,
            why=_FRACTION,
        )
    if sampling.max_tokens < 1:
        raise InvalidInput(what="max_tokens", value=sampling.max_tokens, why=_POSITIVE)
    if not 0 <= sampling.logprobs <= 20:
        raise InvalidInput(what="logprobs", value=sampling.logprobs, why=_between(0, 20))
    return sampling


def _between(lowest: int, highest: int) -> Text:
    return Text(f"it lies between {lowest} and {highest}", f"{lowest} 이상 {highest} 이하여야 합니다")
