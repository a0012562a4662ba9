"""What can keep feedback from being learned."""

from twotrack.core.errors import Conflict
from twotrack.core.language import Text


class NothingNew(Conflict):
    """`left_out` counts what the base cannot take."""

    detail = Text(
        "There is no correction and no praised answer that {base} has not learned already.",
        "{base}이(가) 아직 배우지 않은 고친 답변이나 좋은 답변이 없습니다.",
    )
    remedy = Text(
        "Correct an answer in the chat, or mark a good one.",
        "대화에서 답변을 고치거나 좋은 답변에 표시하세요.",
    )


class LessonUnderWay(Conflict):
    detail = Text(
        "The run {run} is learning your feedback already.", "이미 피드백을 학습하는 중입니다: {run}"
    )
    remedy = Text("Wait for it, or cancel it.", "끝나기를 기다리거나 취소하세요.")


class FeedbackChanging(Conflict):
    detail = Text(
        "The feedback was being changed while it was read.", "읽는 동안 피드백이 계속 바뀌었습니다."
    )
    remedy = Text("Try again in a moment.", "잠시 뒤 다시 시도하세요.")


class NotEverybodys(Conflict):
    detail = Text(
        "Conversations are their owners' alone in this studio: only one's own feedback can be learned.",
        "대화는 각자의 것이므로 본인의 피드백만 배울 수 있습니다.",
    )
    remedy = Text(
        "An administrator can set `learn_from_everybody`, once the others know of it.",
        "다른 사람들에게 알린 뒤 관리자 설정에서 `learn_from_everybody`를 켜세요.",
    )


class NothingSaid(Conflict):
    detail = Text("There is no feedback of that sort yet.", "아직 그런 피드백이 없습니다.")
    remedy = Text(
        "Corrections, marks and votes in the chat are collected by themselves.",
        "대화에서 답변을 고치거나 평가하면 저절로 모입니다.",
    )
