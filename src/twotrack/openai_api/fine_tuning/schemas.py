"""What a fine-tuning job is asked with: what a run here can do is obeyed, everything else refused by name."""

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from twotrack.core.language import Text
from twotrack.learning.data.lines import is_encodable
from twotrack.openai_api.errors import UnsupportedParameter
from twotrack.serving.chat.schemas import ModelName

_NOT_HERE = Text("this studio cannot do that", "이 스튜디오에 없는 기능입니다")
_SUPERVISED_ONLY = Text("runs here learn from answers: supervised", "여기서는 supervised 방식만 학습합니다")
_UNKNOWN = Text("nobody here knows it", "알 수 없는 이름입니다")
_TWICE = Text("the method has them already", "method에 이미 있습니다")


def _auto(given: Any) -> Any:
    return None if given == "auto" else given


def _storable(given: str) -> str:
    if "\x00" in given or not is_encodable(given):
        raise ValueError("it contains characters that cannot be stored")
    return given


def _auto_or(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"const": "auto", "type": "string"}, {"type": kind}, {"type": "null"}]})


_Count = Annotated[int, Field(ge=1, le=1000, strict=True)]
_Multiplier = Annotated[float, Field(gt=0, le=1000, strict=True, allow_inf_nan=False)]
_Key = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_storable)]
_Value = Annotated[str, Field(max_length=512), AfterValidator(_storable)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    def refuse_others(self, before: str = "") -> None:
        """
        Raises:
            UnsupportedParameter: a field that asks for something.
        """
        for name, value in (self.model_extra or {}).items():
            if value is None or value == []:
                continue
            near = get_close_matches(name, type(self).model_fields, n=1)
            why = _UNKNOWN
            if near:
                why = Text(f"did you mean {near[0]!r}?", f"혹시 {near[0]!r}인가요?")
            raise UnsupportedParameter(what=f"{before}{name}"[:100], why=why)


class TuningHyperparameters(_Asked):
    """None where it is "auto": what the studio's recipes have."""

    n_epochs: Annotated[_Count | None, BeforeValidator(_auto), _auto_or("integer")] = None
    batch_size: Annotated[_Count | None, BeforeValidator(_auto), _auto_or("integer")] = None
    learning_rate_multiplier: Annotated[_Multiplier | None, BeforeValidator(_auto), _auto_or("number")] = None


class SupervisedTuning(_Asked):
    hyperparameters: TuningHyperparameters | None = None


class TuningMethod(_Asked):
    type: str
    supervised: SupervisedTuning | None = None
    dpo: Any = None
    reinforcement: Any = None


class NewTuningJob(_Asked):
    """`hyperparameters` is where older clients put what belongs into `method`."""

    model: ModelName
    training_file: str = Field(max_length=200)
    validation_file: str | None = Field(default=None, max_length=200)
    method: TuningMethod | None = None
    hyperparameters: TuningHyperparameters | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31, strict=True)] | None = None
    metadata: Annotated[dict[_Key, _Value], Field(max_length=16)] | None = None
    integrations: list[Any] | None = None

    def settled(self) -> TuningHyperparameters:
        """
        Raises:
            UnsupportedParameter: something that would be ignored otherwise.
        """
        self.refuse_others()
        if self.integrations:
            raise UnsupportedParameter(what="integrations", why=_NOT_HERE)
        method = self.method
        if method is None:
            found = self.hyperparameters or TuningHyperparameters()
            found.refuse_others("hyperparameters.")
            return found
        if method.type != "supervised":
            raise UnsupportedParameter(what="method.type", why=_SUPERVISED_ONLY)
        for name in ("dpo", "reinforcement"):
            if getattr(method, name) is not None:
                raise UnsupportedParameter(what=f"method.{name}", why=_SUPERVISED_ONLY)
        method.refuse_others("method.")
        supervised = method.supervised or SupervisedTuning()
        supervised.refuse_others("method.supervised.")
        if supervised.hyperparameters is not None and self.hyperparameters is not None:
            raise UnsupportedParameter(what="hyperparameters", why=_TWICE)
        found = supervised.hyperparameters or self.hyperparameters or TuningHyperparameters()
        found.refuse_others("method.supervised.hyperparameters.")
        return found
