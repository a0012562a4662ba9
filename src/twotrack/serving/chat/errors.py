"""What can go wrong in a chat besides the engine and the queue."""

from twotrack.core.errors import Conflict, NotFound, TwotrackError
from twotrack.core.language import Text


class NoModel(TwotrackError):
    status = 409
    detail = Text("This studio has no model yet.", "아직 모델이 없습니다.")
    remedy = Text(
        "`twotrack pull starter` fetches a small one.", "`twotrack pull starter`로 작은 모델을 받으세요."
    )


class SessionNotFound(NotFound):
    detail = Text("There is no chat session {name}.", "대화를 찾을 수 없습니다: {name}")


class MessageNotFound(NotFound):
    detail = Text("There is no chat message {name}.", "메시지를 찾을 수 없습니다: {name}")


class SessionBusy(Conflict):
    detail = Text(
        "This session is still answering an earlier question.", "이 대화는 앞선 질문에 아직 답하는 중입니다."
    )
    remedy = Text(
        "Wait for that answer, or cancel it by closing its connection.",
        "답이 끝나기를 기다리거나 그 연결을 닫아 취소하세요.",
    )


class SessionChanged(Conflict):
    detail = Text(
        "This session was changed from elsewhere at the same time.",
        "그사이 다른 곳에서 이 대화가 바뀌었습니다.",
    )
    remedy = Text("Read the session again, then send the question.", "대화를 다시 읽고 질문을 보내세요.")


class BatchTooLarge(TwotrackError):
    status = 413
    detail = Text(
        "The batch has {questions} questions, and {limit} are allowed.",
        "한 번에 보낼 수 있는 질문은 {limit}개인데 {questions}개를 보냈습니다.",
    )
    remedy = Text(
        "Send it in parts, or raise `batch_size` in the admin settings.",
        "나누어 보내거나 관리자 설정의 `batch_size`를 올리세요.",
    )
