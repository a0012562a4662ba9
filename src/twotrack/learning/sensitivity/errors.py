"""What can be wrong while the sensitivity of a base is measured."""

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text


class GradientNotFinite(TwotrackError):
    status = 422
    detail = Text(
        "The loss of the sample in line {line} has no finite gradient.",
        "{line}번째 줄 샘플의 손실에 유한한 기울기가 없습니다.",
    )
    remedy = Text(
        "Measure in fp32, or look at that line for broken text.",
        "fp32로 측정하거나 그 줄에 깨진 글이 없는지 보세요.",
    )


class NothingToSense(TwotrackError):
    status = 422
    detail = Text(
        "{name} has no board to look at: its layers are not known.",
        "살펴볼 보드가 없습니다({name}): 레이어 구조를 알 수 없습니다.",
    )
    remedy = Text("Name a decoder with its weights.", "가중치가 있는 디코더 모델을 지정하세요.")
