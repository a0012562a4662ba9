"""What a checkpoint is for and how it is made, in plain words, from its configuration."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twotrack.registry.map.rules import labels_of
from twotrack.registry.map.schemas import MapWords, Purpose
from twotrack.registry.map.sizes import body_of

if TYPE_CHECKING:
    from twotrack.registry.map.schemas import ModelMap

_ENDS: tuple[tuple[tuple[str, ...], Purpose], ...] = (
    (("ForCausalLM", "LMHeadModel"), "causal"),
    (("ForMaskedLM",), "masked"),
    (("ForSequenceClassification",), "classification"),
    (("ForTokenClassification",), "tokens"),
    (("ForQuestionAnswering",), "answers"),
    (("ForImageClassification",), "images"),
)

_PURPOSES: Mapping[Purpose, tuple[str, str]] = {
    "causal": (
        "It writes text on from the left to the right, one token after the other: made for chat and writing.",
        "왼쪽에서 오른쪽으로 토큰을 하나씩 이어 쓰는 생성 모델입니다. 대화와 글쓰기에 씁니다.",
    ),
    "masked": (
        "It fills gaps in a text that it sees whole, and does not write: a start for classifiers and search.",
        "글 전체를 보고 빈칸을 채우며, 글을 생성하지는 않습니다. 분류기나 검색 모델의 출발점으로 씁니다.",
    ),
    "seq2seq": (
        "An encoder reads a whole input and a decoder writes the output: made for translation and summaries.",
        "인코더가 입력 전체를 읽고 디코더가 출력을 씁니다. 번역과 요약에 씁니다.",
    ),
    "classification": (
        "It puts a text into one of {labels} classes.",
        "글을 {labels}개 클래스 가운데 하나로 분류합니다.",
    ),
    "tokens": (
        "It gives each token of a text one of {labels} labels, such as names of people and places.",
        "글의 토큰마다 {labels}개 레이블 가운데 하나를 붙입니다. 개체명 인식에 씁니다.",
    ),
    "answers": (
        "It marks where in a given text the answer to a question begins and ends.",
        "주어진 글에서 질문의 답이 시작하고 끝나는 위치를 찾습니다.",
    ),
    "embeddings": (
        "A body without a head: it turns text into vectors, for search or for a head of one's own.",
        "헤드가 없는 본체입니다. 글을 벡터로 바꾸며, 검색에 쓰거나 헤드를 따로 붙여 씁니다.",
    ),
    "images": (
        "It puts an image into one of {labels} classes.",
        "이미지를 {labels}개 클래스 가운데 하나로 분류합니다.",
    ),
    "image-features": (
        "A body without a head: it turns images into vectors.",
        "헤드가 없는 본체입니다. 이미지를 벡터로 바꿉니다.",
    ),
    "other": (
        "What its head is for cannot be told from its configuration.",
        "헤드의 용도를 설정만으로는 알 수 없습니다.",
    ),
}


def purpose_of(architecture: str, config: Mapping[str, Any]) -> Purpose:
    for ends, purpose in _ENDS:
        if architecture.endswith(ends):
            return purpose
    if architecture.endswith("ForConditionalGeneration"):
        return "causal" if "text_config" in config and not config.get("is_encoder_decoder") else "seq2seq"
    if architecture.endswith("Model"):
        return "image-features" if "image_size" in config else "embeddings"
    return "other"


def explain(found: "ModelMap", config: Mapping[str, Any]) -> tuple[MapWords, ...]:
    return tuple(_said(found, config, body_of(config)))


def _said(found: "ModelMap", config: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[MapWords]:
    en, ko = _PURPOSES[found.purpose]
    labels = labels_of(config)
    yield MapWords(topic="purpose", en=en.format(labels=labels), ko=ko.format(labels=labels))
    yield from _layers(found)
    yield from _attention(found)
    sizes = found.sizes
    if sizes.context:
        yield MapWords(
            topic="context",
            en=f"It takes up to {sizes.context:,} tokens at once, prompt and answer together."
            if found.purpose == "causal"
            else f"It takes up to {sizes.context:,} tokens at once.",
            ko=f"한 번에 최대 {sizes.context:,}토큰을 다룹니다."
            + (" 프롬프트와 답변을 합친 길이입니다." if found.purpose == "causal" else ""),
        )
    window = body.get("sliding_window")
    if isinstance(window, int) and window > 0 and body.get("use_sliding_window", True):
        yield MapWords(
            topic="window",
            en=f"Some or all layers look back {window:,} tokens only (sliding window).",
            ko=f"일부 또는 모든 레이어가 최근 {window:,}토큰만 봅니다(슬라이딩 윈도).",
        )
    if sizes.vocabulary:
        yield from _vocabulary(found)
    experts = next((body[key] for key in _EXPERTS if isinstance(body.get(key), int)), 0)
    if experts > 1:
        used = body.get("num_experts_per_tok", "?")
        yield MapWords(
            topic="experts",
            en=f"A mixture of experts: {experts} MLPs in a layer, of which {used} work on each token.",
            ko=f"전문가 혼합(MoE) 구조입니다. 레이어마다 MLP {experts}개 중 토큰마다 {used}개가 일합니다.",
        )
    if found.quantization:
        yield MapWords(
            topic="quantization",
            en=f"Its weights are quantized ({found.quantization}): adapters train beside them, not in them.",
            ko=f"양자화된 가중치입니다({found.quantization}). 어댑터는 가중치를 그대로 두고 학습합니다.",
        )


_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")


def _layers(found: "ModelMap") -> Iterator[MapWords]:
    if not found.stacks:
        return
    hidden = found.sizes.hidden
    en = ", ".join(f"{one.layers} ({one.name})" for one in found.stacks)
    if len(found.stacks) == 1:
        en = str(found.stacks[0].layers)
    ko = ", ".join(f"{one.name} {one.layers}개" for one in found.stacks)
    if len(found.stacks) == 1:
        ko = f"{en}개"
    yield MapWords(
        topic="layers",
        en=f"Layers: {en}, each {hidden:,} wide." if hidden else f"Layers: {en}.",
        ko=f"레이어: {ko}, 폭 {hidden:,}." if hidden else f"레이어: {ko}.",
    )


def _attention(found: "ModelMap") -> Iterator[MapWords]:
    heads, keys = found.sizes.heads, found.sizes.key_heads
    if not heads:
        return
    if keys == heads:
        en, ko = f"{heads} attention heads.", f"어텐션 헤드 {heads}개."
    elif keys == 1:
        en = f"{heads} query heads share one key and value head (multi-query attention)."
        ko = f"쿼리 헤드 {heads}개가 키·값 헤드 하나를 함께 씁니다(멀티 쿼리 어텐션)."
    else:
        en = (
            f"{heads} query heads share {keys} key and value heads (grouped-query attention): "
            f"the cache of a conversation is {heads / keys:g} times smaller."
        )
        ko = (
            f"쿼리 헤드 {heads}개가 키·값 헤드 {keys}개를 나눠 씁니다(그룹 쿼리 어텐션). "
            f"대화의 캐시가 {heads / keys:g}분의 1로 줄어듭니다."
        )
    yield MapWords(topic="attention", en=en, ko=ko)


def _vocabulary(found: "ModelMap") -> Iterator[MapWords]:
    size = found.sizes.vocabulary
    en, ko = f"A vocabulary of {size:,} tokens.", f"어휘는 {size:,}토큰입니다."
    if found.purpose in ("causal", "masked", "seq2seq"):
        if found.is_tied:
            en += " The output matrix is the embedding itself (tied), and counts once."
            ko += " 출력 행렬은 임베딩과 같은 행렬(tied)이므로 한 번만 셉니다."
        else:
            en += " The output matrix is its own."
            ko += " 출력 행렬은 임베딩과 따로 있습니다."
    yield MapWords(topic="vocabulary", en=en, ko=ko)
