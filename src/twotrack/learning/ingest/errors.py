"""What can be wrong with a document, an upload or an address, said so that people can act on it."""

from twotrack.core.errors import NotFound, TwotrackError
from twotrack.core.language import Text


class UnreadableDocument(TwotrackError):
    status = 422
    detail = Text("{name!r} cannot be read: {why}", "문서를 읽을 수 없습니다({name!r}): {why}")
    remedy = Text(
        "Open it in the program that made it and save it anew, or as PDF.",
        "문서를 만든 프로그램에서 열어 다시 저장하거나 PDF로 저장하세요.",
    )


class FormatUnknown(TwotrackError):
    status = 415
    detail = Text("{name!r} is in no known format: {why}", "지원하지 않는 형식입니다({name!r}): {why}")
    remedy = Text(
        "Known are PDF, DOCX, PPTX, XLSX, HWPX, HWP 5, HTML, Markdown, CSV and plain text.",
        "읽을 수 있는 형식: PDF, DOCX, PPTX, XLSX, HWPX, HWP 5, HTML, 마크다운, CSV, 일반 텍스트.",
    )


class DocumentEncrypted(TwotrackError):
    status = 422
    detail = Text("{name!r} is protected by a password.", "암호로 보호된 문서입니다: {name!r}")
    remedy = Text("Save it without one.", "암호를 해제하고 저장한 뒤 다시 올리세요.")


class DocumentEmpty(TwotrackError):
    status = 422
    detail = Text("There is no text in {name!r}.", "글이 없는 문서입니다: {name!r}")
    remedy = Text(
        "If it is a scan, run it through text recognition (OCR) first.",
        "스캔한 문서라면 먼저 문자 인식(OCR)을 거치세요.",
    )


class DocumentTooLarge(TwotrackError):
    status = 413
    detail = Text("{name!r} has more than {limit_mib} MiB.", "문서가 {limit_mib} MiB를 넘습니다: {name!r}")
    remedy = Text("Split it.", "나누어 올리세요.")


class TextTooLong(TwotrackError):
    status = 413
    detail = Text(
        "{name!r} holds more than {limit:,} characters of text.", "글이 {limit:,}자를 넘습니다: {name!r}"
    )
    remedy = Text("Split it.", "나누어 올리세요.")


class DocumentInaccessible(TwotrackError):
    """Of a file or folder that the system does not let be read; what was read of it before stays."""

    status = 422
    detail = Text("{name!r} could not be opened: {why}", "열 수 없습니다({name!r}): {why}")
    remedy = Text(
        "Let the user who runs the studio read it, then start again. What was read of it before stays.",
        "스튜디오를 실행하는 사용자에게 읽기 권한을 준 뒤 다시 시작하세요. 전에 읽은 내용은 남아 있습니다.",
    )


class DocumentVanished(TwotrackError):
    status = 422
    detail = Text(
        "{name!r} was gone when its turn came.", "읽을 차례가 되었을 때 파일이 없었습니다: {name!r}"
    )
    remedy = Text("Put it back, or start again without it.", "파일을 되돌리거나 파일 없이 다시 시작하세요.")


class PackageSwollen(TwotrackError):
    """A ZIP that would unpack to far more than any document needs."""

    status = 422
    detail = Text(
        "{name!r} would unpack to {size_mib} MiB and more; {limit_mib} MiB are the limit.",
        "압축을 풀면 {size_mib} MiB를 넘습니다({name!r}). 한도는 {limit_mib} MiB입니다.",
    )
    remedy = Text(
        "If it is a document all the same, split it or save it as PDF.",
        "실제 문서라면 나누거나 PDF로 저장하세요.",
    )


class PathRefused(TwotrackError):
    status = 403
    detail = Text("{path!r} cannot be read in: {why}", "불러올 수 없는 경로입니다({path!r}): {why}")
    remedy = Text(
        "Put documents into the folder `data` of the studio's data folder, or upload them.",
        "스튜디오 데이터 폴더의 `data` 폴더에 문서를 넣거나 업로드하세요.",
    )


class PathMissing(NotFound):
    detail = Text("There is no file or folder {path!r}.", "파일이나 폴더가 없습니다: {path!r}")
    remedy = Text(
        "Look at its spelling; a path is one of the machine that the studio runs on.",
        "철자를 확인하세요. 경로는 스튜디오가 실행되는 컴퓨터의 것이어야 합니다.",
    )


class NothingToIngest(TwotrackError):
    status = 422
    detail = Text("There is nothing to take in: {why}", "불러올 것이 없습니다: {why}")
    remedy = Text(
        "Taken in are PDF, DOCX, PPTX, XLSX, HWPX, HWP 5, HTML, Markdown, CSV and plain text.",
        "불러올 수 있는 형식: PDF, DOCX, PPTX, XLSX, HWPX, HWP 5, HTML, 마크다운, CSV, 일반 텍스트.",
    )


class UploadBroken(TwotrackError):
    status = 400
    detail = Text("The upload is not in order: {why}", "업로드가 올바르지 않습니다: {why}")
    remedy = Text(
        "Send the files once more, as multipart/form-data in fields called `files`.",
        "파일을 multipart/form-data의 `files` 필드로 다시 보내세요.",
    )


class AddressRefused(TwotrackError):
    """A URL that leads to where the studio must not ask for strangers."""

    status = 422
    detail = Text("{url!r} is not fetched: {why}", "가져오지 않는 주소입니다({url!r}): {why}")
    remedy = Text(
        "Only public addresses by http or https are fetched; upload what lies elsewhere.",
        "공개된 http·https 주소만 가져옵니다. 그 밖의 문서는 업로드하세요.",
    )


class FetchFailed(TwotrackError):
    status = 502
    detail = Text("{url!r} could not be fetched: {why}", "주소에서 가져오지 못했습니다({url!r}): {why}")
    remedy = Text(
        "See whether a browser opens it, and start again. What was fetched from there before stays.",
        "브라우저에서 열리는지 확인하고 다시 시작하세요. 전에 가져온 내용은 남아 있습니다.",
    )


def damaged(error: object) -> Text:
    """`why` of a file that its library cannot make sense of, in the library's words."""
    said = " ".join(str(error).split())[:300] or type(error).__name__
    return Text(f"it is damaged ({said})", f"파일이 손상되었습니다({said})")
