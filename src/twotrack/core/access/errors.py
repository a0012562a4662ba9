"""Why a request is not let in."""

from twotrack.core.errors import Conflict, NotFound, TwotrackError
from twotrack.core.language import Text


class UnknownHost(TwotrackError):
    status = 421
    detail = Text(
        "This studio does not answer to the host name {host!r}.",
        "이 스튜디오는 그 호스트 이름에 응답하지 않습니다: {host!r}",
    )
    remedy = Text(
        "Use its own address, or list the name in TWOTRACK_ALLOWED_HOSTS.",
        "스튜디오의 주소를 쓰거나 TWOTRACK_ALLOWED_HOSTS에 이름을 추가하세요.",
    )


class ForeignOrigin(TwotrackError):
    status = 403
    detail = Text(
        "A page from {origin!r} may not use this studio.",
        "{origin!r}의 페이지는 이 스튜디오를 쓸 수 없습니다.",
    )
    remedy = Text(
        "An administrator can list it in `allowed_origins` of the settings.",
        "관리자가 설정의 `allowed_origins`에 추가할 수 있습니다.",
    )


class _Unauthorized(TwotrackError):
    status = 401

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class KeyRequired(_Unauthorized):
    detail = Text("This studio asks for a key.", "이 스튜디오는 키가 필요합니다.")
    remedy = Text(
        "Send it as `Authorization: Bearer …`; an administrator makes one.",
        "`Authorization: Bearer …` 헤더로 보내세요. 키는 관리자가 만듭니다.",
    )


class KeyUnknown(_Unauthorized):
    """Not said: whether it was ever one."""

    detail = Text("This key opens nothing here.", "이 스튜디오에서 쓸 수 없는 키입니다.")
    remedy = Text(
        "It may have been renewed or revoked; ask an administrator for the present one.",
        "새로 발급되었거나 폐기된 키일 수 있습니다. 관리자에게 현재 키를 요청하세요.",
    )


class KeyExpired(_Unauthorized):
    detail = Text("The key {name!r} has expired.", "키가 만료되었습니다: {name!r}")
    remedy = Text(
        "An administrator can extend it, or make another one.",
        "관리자가 기한을 늘리거나 다른 키를 만들 수 있습니다.",
    )


class KeyEnded(_Unauthorized):
    """In the middle of a request."""

    detail = Text(
        "The key {name!r} was revoked or changed while this request ran; it ends here.",
        "요청을 처리하는 동안 키가 폐기되거나 변경되어 여기서 끝냅니다: {name!r}",
    )
    remedy = Text("Ask an administrator for the present key.", "관리자에게 현재 키를 요청하세요.")


class RoleMissing(TwotrackError):
    status = 403
    detail = Text(
        "This needs the role {role!r}, which the key {name!r} does not have.",
        "{role!r} 역할이 필요한데 이 키에는 없습니다: {name!r}",
    )
    remedy = Text(
        "Ask an administrator to do it, or for a key with that role.",
        "관리자에게 작업을 부탁하거나 해당 역할의 키를 요청하세요.",
    )


class _Slowed(TwotrackError):
    """`retry_after` is in whole seconds, at least 1."""

    status = 429
    remedy = Text("Try again in {retry_after} seconds.", "{retry_after}초 뒤에 다시 시도하세요.")

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.values["retry_after"])}


class TooManyWrongKeys(_Slowed):
    detail = Text(
        "Too many wrong keys came from this address.", "이 주소에서 잘못된 키를 너무 많이 보냈습니다."
    )


class TooManyRequests(_Slowed):
    detail = Text(
        "More than {limit} requests a minute came from one key or address.",
        "하나의 키 또는 주소에서 분당 {limit}개가 넘는 요청이 왔습니다.",
    )


class KeyNotFound(NotFound):
    detail = Text("There is no key {name}.", "키를 찾을 수 없습니다: {name}")


class KeyNameTaken(Conflict):
    detail = Text("There is a key called {name!r} already.", "같은 이름의 키가 이미 있습니다: {name!r}")
    remedy = Text("Choose another name, or revoke that key.", "다른 이름을 쓰거나 기존 키를 폐기하세요.")


class KeyOver(Conflict):
    detail = Text(
        "The key {name!r} was revoked and cannot be changed any more.",
        "폐기된 키는 바꿀 수 없습니다: {name!r}",
    )
    remedy = Text("Make another one.", "새 키를 만드세요.")


class KeyPastItsTime(Conflict):
    detail = Text(
        "The key {name!r} has expired: its renewal would be dead at once.",
        "만료된 키라 새로 발급해도 쓸 수 없습니다: {name!r}",
    )
    remedy = Text("Give it a later `expires_at` first.", "먼저 `expires_at`을 늘리세요.")
