"""What can be wrong with training data, with the line it is in."""

from twotrack.core.errors import NotFound, TwotrackError
from twotrack.core.language import Text


class BrokenLine(TwotrackError):
    """`line` counts from 1, blank lines included; `why` is a Text."""

    status = 422
    detail = Text("Line {line} of the data: {why}.", "데이터 {line}번째 줄: {why}.")
    remedy = Text(
        'Each line is one JSON object in UTF-8: {{"messages": [{{"role": "user", "content": "…"}}, '
        '{{"role": "assistant", "content": "…"}}]}}.',
        '한 줄에 UTF-8 JSON 객체 하나씩입니다: {{"messages": [{{"role": "user", "content": "…"}}, '
        '{{"role": "assistant", "content": "…"}}]}}.',
    )


class SampleTooLong(TwotrackError):
    """Lengths in tokens, prompt and answers together."""

    status = 422
    detail = Text(
        "Line {line} of the data has {tokens} tokens, and {limit} fit.",
        "데이터 {line}번째 줄은 {tokens} 토큰인데 {limit} 토큰까지만 들어갑니다.",
    )
    remedy = Text(
        "Shorten it, raise max_length up to the model's context, or cut off ends with too_long: truncate.",
        "줄을 짧게 하거나, 모델의 컨텍스트 안에서 max_length를 올리거나, too_long: truncate로 끝을 자르세요.",
    )


class NothingToLearn(TwotrackError):
    """Every token of a sample is masked."""

    status = 422
    detail = Text(
        "Line {line} of the data teaches nothing: none of its {tokens} tokens belongs to an answer.",
        "데이터 {line}번째 줄에는 배울 것이 없습니다: {tokens} 토큰 중 답변에 속하는 토큰이 없습니다.",
    )
    remedy = Text(
        "Where long lines are cut off, the prompt alone may fill max_length: raise it, or shorten the line.",
        "긴 줄을 자르는 경우 프롬프트만으로 max_length가 찰 수 있습니다. 올리거나 프롬프트를 줄이세요.",
    )


class NoSamples(TwotrackError):
    status = 422
    detail = Text("The data holds no line.", "데이터에 줄이 하나도 없습니다.")
    remedy = BrokenLine.remedy


class DataTooLarge(TwotrackError):
    status = 413
    detail = Text("The data has more than {limit_mib} MiB.", "데이터가 {limit_mib} MiB를 넘습니다.")
    remedy = Text("Split it into several runs.", "여러 번의 학습으로 나누세요.")


class AnswerNotSeparable(TwotrackError):
    """`model` is the base's name."""

    status = 422
    detail = Text(
        "Line {line} of the data: the chat template of {model} writes an answer in another way than it asks "
        "for one, so what would be trained is not what is served.",
        "데이터 {line}번째 줄: {model}의 챗 템플릿은 답변을 요청할 때와 다르게 표시하므로, "
        "학습한 것과 서빙되는 것이 달라집니다.",
    )
    remedy = Text(
        "Use a base whose template ends the prompt where the answer begins.",
        "답변이 시작되는 곳에서 프롬프트가 끝나는 템플릿을 가진 베이스를 쓰세요.",
    )


class FileUnknown(TwotrackError):
    """`name` is the file's; `why` a Text."""

    status = 415
    detail = Text(
        "{name!r} is no data that can be read: {why}.", "읽을 수 있는 데이터가 아닙니다({name!r}): {why}."
    )
    remedy = Text(
        "Known are JSON, JSONL, CSV, Parquet and plain text, unpacked.",
        "읽을 수 있는 형식: JSON, JSONL, CSV, Parquet, 일반 텍스트(압축을 푼 상태).",
    )


class FileNotReadable(TwotrackError):
    status = 422
    detail = Text("{path} cannot be read: {why}", "읽을 수 없습니다({path}): {why}")


class ParquetNotInstalled(TwotrackError):
    status = 501
    detail = Text(
        "{name!r} is Parquet, and pyarrow, which reads it, is not installed.",
        "Parquet 파일인데({name!r}) 이를 읽는 pyarrow가 설치되어 있지 않습니다.",
    )
    remedy = Text(
        "Install the training extra (`pip install 'twotrack[train]'`), or save the data as JSONL or CSV.",
        "학습용 추가 구성(`pip install 'twotrack[train]'`)을 설치하거나 JSONL이나 CSV로 저장하세요.",
    )


class ColumnsUnknown(TwotrackError):
    """`columns` are those that the data has, as one text."""

    status = 422
    detail = Text(
        "What the columns of this data mean is not clear: {columns}.",
        "데이터의 열이 무엇을 뜻하는지 알 수 없습니다: {columns}.",
    )
    remedy = Text(
        "Say which is which, for example --column prompt=NAME --column answer=NAME (or messages=, text=, "
        "chosen=, rejected=).",
        "열을 직접 지정하세요. 예: --column prompt=이름 --column answer=이름 (또는 messages=, text=, "
        "chosen=, rejected=).",
    )


class ColumnRefused(TwotrackError):
    """A column that was named by hand. `why` is a Text."""

    status = 422
    detail = Text("Column {column!r}: {why}.", "열 {column!r}: {why}.")


class DataChanged(TwotrackError):
    status = 409
    detail = Text(
        "{name} was changed while it was being read. Nothing was written.",
        "읽는 동안 파일이 바뀌었습니다({name}). 아무것도 쓰지 않았습니다.",
    )
    remedy = Text("Start again once nothing writes to it.", "파일이 더 바뀌지 않을 때 다시 시작하세요.")


class NothingLeft(TwotrackError):
    """`reasons` tells how many samples went for what."""

    status = 422
    detail = Text(
        "Not one sample of {rows} rows is left: {reasons}.",
        "{rows}개 행 가운데 남는 샘플이 없습니다: {reasons}.",
    )
    remedy = Text(
        "`twotrack data check` names the lines.", "`twotrack data check`로 해당 줄을 볼 수 있습니다."
    )


class TargetExists(TwotrackError):
    status = 409
    detail = Text("{path} is there already.", "파일이 이미 있습니다: {path}")
    remedy = Text(
        "Name another with --out, or replace it with --force.",
        "--out으로 다른 이름을 주거나 --force로 덮어쓰세요.",
    )


class MixImpossible(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text("These sets cannot be mixed so: {why}.", "이렇게 섞을 수 없습니다: {why}.")


class SplitImpossible(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text("The data cannot be split so: {why}.", "이렇게 나눌 수 없습니다: {why}.")
    remedy = Text(
        "Groups stay whole: fewer parts, more facts, or a column with finer groups (--column group=NAME).",
        "묶음은 쪼개지 않습니다. 부분 수를 줄이거나, 사실을 늘리거나, 더 잘게 묶는 열을 지정하세요"
        "(--column group=이름).",
    )


class DataTooMuch(TwotrackError):
    """Its reader ran out of the memory that it is given."""

    status = 422
    detail = Text(
        "This data needs more than {limit_mib} MiB to be looked through.",
        "이 데이터를 살펴보는 데 {limit_mib} MiB가 넘는 메모리가 필요합니다.",
    )
    remedy = Text(
        "Split the file. A row of many megabytes is seldom a sample.",
        "파일을 나누세요. 한 행이 수십 메가바이트라면 샘플이 아닐 수 있습니다.",
    )


class DataUnreadable(TwotrackError):
    """The process that read it died; `why` is a Text."""

    status = 422
    detail = Text("{name!r} cannot be read: {why}.", "데이터를 읽을 수 없습니다({name!r}): {why}.")
    remedy = Text("Save it anew as JSONL.", "JSONL로 다시 저장하세요.")


class DataSetNotFound(NotFound):
    detail = Text("There is no data set {name!r}.", "데이터를 찾을 수 없습니다: {name!r}")


class NoSuchPart(TwotrackError):
    status = 422
    detail = Text(
        "{name!r} was not split into parts of which one is {part!r}.",
        "{name!r} 데이터를 나눈 것 중에 {part!r} 부분이 없습니다.",
    )
    remedy = Text(
        "Split it first, on its page or with POST /api/data/<id>/split, or name the part itself.",
        "먼저 데이터 화면이나 POST /api/data/<id>/split으로 나누거나, 나눈 부분을 직접 지정하세요.",
    )


class FileMissing(TwotrackError):
    status = 422
    detail = Text(
        "The upload has {count} files; one is expected.", "업로드한 파일이 {count}개입니다. 하나여야 합니다."
    )
