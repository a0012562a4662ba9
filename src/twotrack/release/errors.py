"""Why a variant is not exported."""

from twotrack.core.errors import Conflict, NotFound, TwotrackError
from twotrack.core.language import Text


class ExportNotFound(NotFound):
    detail = Text("There is no export {id}.", "내보낸 결과를 찾을 수 없습니다: {id}")


class ExportImpossible(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text(
        "{variant} cannot be exported so: {why}.", "이 방식으로 내보낼 수 없습니다({variant}): {why}."
    )


class QuantizedBase(TwotrackError):
    status = 422
    detail = Text(
        "{variant} stands on {base}, whose weights are quantized ({dtype}): a change merged into them would "
        "be rounded away.",
        "{variant} 변형의 베이스 {base}은(는) 양자화되어 있어({dtype}), 병합하면 학습한 변화가 "
        "반올림으로 사라집니다.",
    )
    remedy = Text(
        "Export it as a PEFT folder, take a base that is not quantized, or, for a GGUF base, merge with its "
        "32-bit copy (`--dequantize`).",
        "PEFT 폴더로 내보내거나 양자화하지 않은 베이스를 쓰세요. GGUF 베이스라면 32비트 사본에 병합할 수도 "
        "있습니다(`--dequantize`).",
    )


class ComparisonUnavailable(Conflict):
    detail = Text(
        "An export is compared with the live variant before it is kept, and {engine} is not installed.",
        "내보내기 전에 실행 중인 변형과 비교해야 하는데 {engine}이(가) 설치되어 있지 않습니다.",
    )
    remedy = Text(
        "Install it (`pip install 'twotrack[train]'`), or export as GGUF.",
        "설치하거나(`pip install 'twotrack[train]'`) GGUF로 내보내세요.",
    )


class ParityBroken(TwotrackError):
    status = 422
    detail = Text(
        "The export of {variant} answers otherwise than the variant itself: from token {token} of prompt "
        "{number} on (“{prompt}”), log-probabilities differ by {difference}, and {bound} is allowed. It was "
        "not kept.",
        "{variant} 변형을 내보낸 결과가 원래 변형과 다르게 답합니다. 프롬프트 {number}번(“{prompt}”)의 토큰 "
        "{token}번째에서 로그 확률이 {difference}만큼 달라 허용 범위 {bound}을(를) 넘었습니다. 결과는 "
        "보관하지 않았습니다.",
    )
    remedy = Text(
        "Please report it with the base's name: either the format cannot carry this change, or the writing "
        "of it has a fault.",
        "베이스 이름과 함께 알려 주세요. 이 형식으로 담을 수 없는 변화이거나 변환에 결함이 있습니다.",
    )
