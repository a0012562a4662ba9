"""What a request's `gains` mean for a variant: for its adapters, and for its base's own residual branches."""

from collections.abc import Mapping
from dataclasses import dataclass

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.engines.port import BASE, AdapterGain
from twotrack.equalizer.board import Board, Gains, check_gains
from twotrack.equalizer.expansion import expand, is_one
from twotrack.equalizer.gains import check_gain
from twotrack.equalizer.grid import Grid
from twotrack.registry.schemas import Variant

_ADAPTERS = "adapters"

_NO_BOARD = Text(
    "this base has no board, since its layers are not known; one number acts on the whole adapter",
    "레이어 구조를 알 수 없는 베이스라 보드가 없습니다. 어댑터 전체에 적용되는 숫자 하나만 쓸 수 있습니다",
)
_NO_ADAPTER = Text(
    "this variant has no adapter that a gain could act on; its base's own board takes bands × (attn, mlp), "
    'or {"base": …}',
    "게인을 적용할 어댑터가 없는 변형입니다. 베이스 자체 보드는 구간 × (attn, mlp) 행렬이나 "
    '{"base": …}로 지정하세요',
)
_NO_OWN_BOARD = Text(
    "this base has no board of its own: it runs on another server, or the ends of its branches are not known",
    "베이스 자체 보드가 없습니다. 다른 서버에서 실행되거나 레이어의 가지를 알 수 없는 베이스입니다",
)
_TWO_KEYS = Text(
    'beside "adapters" and "base" there is nothing to set', '"adapters"와 "base" 말고는 지정할 것이 없습니다'
)


@dataclass(frozen=True)
class Boards:
    """The grids of a base: of its adapters, and its own; None where it has no such board."""

    adapters: Grid | None
    own: Grid | None

    def expanded(self, gains: Mapping[str, Gains]) -> dict[str, AdapterGain]:
        """As an engine takes them: a board as the gain of every layer and column."""
        return {name: self._expanded(name, gain) for name, gain in gains.items()}

    def _expanded(self, name: str, gain: Gains) -> AdapterGain:
        if not isinstance(gain, Board):
            return gain
        grid = self.own if name == BASE else self.adapters
        # A board was checked against its grid when it was asked for or kept.
        assert grid is not None
        return expand(gain, grid)


def gains_for(variant: Variant, boards: Boards, asked: object = None) -> dict[str, Gains]:
    """Adapter's id → its gain or board, and under BASE that of the base's own branches unless it is 1
    everywhere: the variant's own, or what the request asks for.

    Asked for is a number, rows × columns, or a board with its fields. It holds for all adapters of the
    variant; of one without adapters, rows or a board are the base's own board. {"adapters": …, "base": …}
    sets either or both, and what it does not name stays the variant's own.

    Raises:
        InvalidInput: no gains (equalizer/board.py); a board for a base that has none; or the variant has no
            adapter to act on.
    """
    found: dict[str, Gains] = {str(one.adapter_id): one.gains for one in variant.adapters}
    own: Gains = 1.0 if variant.base_board is None else variant.base_board
    for_adapters, for_base = _parts(asked, has_adapters=bool(found))
    if for_adapters is not None:
        gains = read_gains(boards.adapters, for_adapters)
        if not found:
            raise InvalidInput(what="gains", value=str(asked)[:80], why=_NO_ADAPTER)
        found = dict.fromkeys(found, gains)
    if for_base is not None:
        if boards.own is None:
            raise InvalidInput(what="gains", value=str(asked)[:80], why=_NO_OWN_BOARD)
        own = check_gains(for_base, boards.own)
    if own != 1.0 and boards.own is not None and not is_one(own, boards.own):
        found[BASE] = own
    return found


def read_gains(grid: Grid | None, asked: object) -> Gains:
    """A number, rows × columns, or a board with its fields; without a grid only a number.

    Raises:
        InvalidInput: no gains (equalizer/board.py), or a board for a base that has none.
    """
    if isinstance(asked, list | tuple | dict) and grid is None:
        raise InvalidInput(what="gains", value=str(asked)[:80], why=_NO_BOARD)
    return check_gain(asked) if grid is None else check_gains(asked, grid)


def _parts(asked: object, *, has_adapters: bool) -> tuple[object, object]:
    """What is asked of the adapters, and what of the base's own branches; None for what is not."""
    if isinstance(asked, dict) and asked.keys() & {_ADAPTERS, BASE}:
        if strange := sorted(asked.keys() - {_ADAPTERS, BASE}):
            raise InvalidInput(what="gains", value=str(strange[0])[:80], why=_TWO_KEYS)
        return asked.get(_ADAPTERS), asked.get(BASE)
    # A number for a base is more likely meant for an adapter: half of every branch is a ruined base.
    if not has_adapters and isinstance(asked, list | dict):
        return None, asked
    return asked, None
