"""What can be wrong with a training run."""

from twotrack.core.errors import NotFound, TwotrackError
from twotrack.core.language import Text


class RecipeInvalid(TwotrackError):
    """`why` is a Text; `field` is the field's name, or "recipe" for the whole."""

    status = 422
    detail = Text("The recipe's {field}: {why}.", "레시피의 {field}: {why}.")
    remedy = Text(
        "A recipe is YAML or JSON; recipes/ holds commented ones.",
        "레시피는 YAML이나 JSON입니다. 설명이 달린 예는 recipes/에 있습니다.",
    )


class TrainingNotInstalled(TwotrackError):
    status = 501
    detail = Text(
        "This is a serving-only installation: {missing} is not installed.",
        "서빙 전용 설치입니다: {missing}이(가) 없습니다.",
    )
    remedy = Text(
        "Install the training extra (`pip install 'twotrack[train]'`), or train on another machine.",
        "학습용 추가 구성(`pip install 'twotrack[train]'`)을 설치하거나 다른 컴퓨터에서 학습하세요.",
    )


class NotTrainable(TwotrackError):
    """`why` is a Text."""

    status = 422
    detail = Text("{name} cannot be trained: {why}.", "학습할 수 없는 모델입니다({name}): {why}.")


class RunNotFound(NotFound):
    detail = Text("There is no training run {name!r}.", "학습 실행을 찾을 수 없습니다: {name!r}")


class SweepNotFound(NotFound):
    detail = Text("There is no sweep {name!r}.", "스윕을 찾을 수 없습니다: {name!r}")


class NothingToResume(TwotrackError):
    """`state` is the job's."""

    status = 409
    detail = Text(
        "Run {run} cannot go on: it is {state}, and it was not paused and has left no checkpoint.",
        "이어갈 수 없는 실행입니다: {run}. 상태가 {state}이고 일시 중지한 적도, 체크포인트도 없습니다.",
    )
    remedy = Text("Start a new run.", "새로 학습을 시작하세요.")


class DataAltered(TwotrackError):
    detail = Text(
        "The data of this run is not what it was when the run was started ({path}).",
        "이 실행의 데이터가 시작할 때와 다릅니다({path}).",
    )
    remedy = Text("Start a new run.", "새로 학습을 시작하세요.")


class HeldOutUnusable(TwotrackError):
    """`name` is the held-out data set's; `why` a Text."""

    status = 422
    detail = Text("The held-out data {name}: {why}.", "평가용 데이터 {name}: {why}.")
    remedy = Text(
        "Leave it out, or shape it for this base first.", "빼거나, 먼저 이 베이스에 맞게 다듬으세요."
    )


class BuiltOtherwise(TwotrackError):
    """The wrapped model does not hold what was asked for. `what` is rank, scaling, trainable or the like."""

    detail = Text(
        "{module}: {what} is {found}, and {asked} was asked for.",
        "{module}: {what} 값이 {asked}이어야 하는데 {found}입니다.",
    )
    remedy = Text(
        "Nothing was trained. This is a fault of the studio or of a library under it, not of the data.",
        "학습은 시작되지 않았습니다. 데이터가 아니라 스튜디오나 라이브러리의 문제입니다.",
    )


class RankTooLarge(TwotrackError):
    """`largest` is the smaller side of the module's matrix."""

    status = 422
    detail = Text(
        "Rank {rank} is more than {module} can hold: no change of its matrix has a rank above {largest}.",
        "랭크 {rank}은(는) {module}에 너무 큽니다. 이 행렬의 변화는 랭크 {largest}을(를) 넘을 수 없습니다.",
    )
    remedy = Text("Lower the rank; 8 to 32 is usual.", "랭크를 낮추세요. 보통 8에서 32 사이를 씁니다.")


class CellEmpty(TwotrackError):
    """`band` is counted from 1 at the input."""

    status = 422
    detail = Text(
        "The board's cell in row {band}, column {column}, holds no module: nothing there could learn.",
        "보드 {band}행 {column} 칸에는 모듈이 없어 학습할 것이 없습니다.",
    )
    remedy = Text("Freeze that cell.", "그 칸을 고정하세요.")


class LossDiverged(TwotrackError):
    status = 422
    detail = Text(
        "The loss ran away at step {step}: {loss}, after {first} at the start.",
        "{step}단계에서 손실이 발산했습니다: 처음 {first}, 지금 {loss}.",
    )
    remedy = Text(
        "Lower the learning rate (it is {learning_rate}), or look at the data for broken text.",
        "학습률을 낮추거나(현재 {learning_rate}) 데이터에 깨진 글이 없는지 보세요.",
    )


class WillNotFit(TwotrackError):
    """By the forecast. Sizes are in GiB; `fits` is a Text that says what would."""

    status = 507
    detail = Text(
        "This run would need {needed_gib:.1f} GiB, and this machine has {capacity_gib:.1f} GiB.",
        "이 학습에는 {needed_gib:.1f} GiB가 필요하지만 이 컴퓨터에는 {capacity_gib:.1f} GiB뿐입니다.",
    )
    remedy = Text(
        "{fits} Or start it all the same, by force.",
        "{fits} 그래도 해 보려면 강제로 시작(force)하세요.",
    )


class RunGoesOn(TwotrackError):
    status = 409
    detail = Text("The run {run} waits or works.", "아직 끝나지 않은 학습 실행입니다: {run}")
    remedy = Text("Pause or cancel it first.", "먼저 멈추거나 취소하세요.")


class TrainingOutOfMemory(TwotrackError):
    status = 507
    detail = Text("The training ran out of memory ({why}).", "학습 중 메모리가 부족했습니다({why}).")
    remedy = Text(
        "Lower batch_size or max_length, choose a smaller base, or unload models that are being served.",
        "batch_size나 max_length를 줄이거나, 더 작은 베이스를 고르거나, 서빙 중인 모델을 내리세요.",
    )


class TrainingDied(TwotrackError):
    """The child process ended without a word; `why` is a signal or an exit status."""

    detail = Text("The training process ended: {why}.", "학습 프로세스가 종료되었습니다: {why}.")
    remedy = Text("Its log tells more: {log}", "자세한 내용은 로그에 있습니다: {log}")


class DeviceGone(TwotrackError):
    status = 409
    detail = Text(
        "This run began on {device}, which is not there any more.",
        "이 실행은 {device}에서 시작했는데 지금은 그 장치가 없습니다.",
    )
    remedy = Text("Start a new run.", "새로 학습을 시작하세요.")
