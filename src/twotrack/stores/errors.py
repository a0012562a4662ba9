"""What can be wrong with a collection, a document or a vector store, said so that people can act on it."""

from twotrack.core.errors import Conflict, NotFound, TwotrackError
from twotrack.core.language import Text


class CollectionNotFound(NotFound):
    detail = Text("There is no collection called {name!r}.", "컬렉션을 찾을 수 없습니다: {name!r}")
    remedy = Text(
        "`twotrack collections list` shows them; `twotrack ingest` makes one out of documents.",
        "`twotrack collections list`로 목록을 보고, `twotrack ingest`로 문서에서 만드세요.",
    )


class DocumentNotFound(NotFound):
    detail = Text("There is no document {name}.", "문서를 찾을 수 없습니다: {name}")


class CollectionNameTaken(Conflict):
    detail = Text("There is a collection called {name!r} already.", "이미 있는 컬렉션 이름입니다: {name!r}")
    remedy = Text("Choose another name.", "다른 이름을 고르세요.")


class OtherEmbedder(Conflict):
    detail = Text(
        "The vectors of collection {name!r} were made by {made_by!r} and cannot be compared with those "
        "of {asked!r}.",
        "컬렉션 {name!r}의 벡터는 {made_by!r}이(가) 만들었으므로 {asked!r}의 벡터와 비교할 수 없습니다.",
    )
    remedy = Text(
        "Use that embedder, or embed the collection anew: `twotrack collections embed`.",
        "그 임베더를 쓰거나 컬렉션을 다시 임베딩하세요: `twotrack collections embed`.",
    )


class OtherDimensions(Conflict):
    detail = Text(
        "The embedder {embedder!r} gives vectors of {now} numbers, and those of collection {name!r} have "
        "{before}: another model answers by the same name.",
        "임베더 {embedder!r}의 벡터는 {now}차원인데 컬렉션 {name!r}의 벡터는 {before}차원입니다. "
        "같은 이름으로 다른 모델이 응답하고 있습니다.",
    )
    remedy = Text(
        "Bring the model of before back, or embed the collection anew: `twotrack collections embed`.",
        "이전 모델을 되돌리거나 컬렉션을 다시 임베딩하세요: `twotrack collections embed`.",
    )


class StoreAway(TwotrackError):
    status = 503
    detail = Text(
        "The vector store at {url} does not answer: {why}", "벡터 저장소가 응답하지 않습니다({url}): {why}"
    )
    remedy = Text(
        "Start it, or correct TWOTRACK_QDRANT_URL. Nothing is lost: the texts are in the database.",
        "저장소를 시작하거나 TWOTRACK_QDRANT_URL을 고치세요. 글은 데이터베이스에 그대로 있습니다.",
    )


class VectorsGone(Conflict):
    """Whoever asks had looked the collection up before it was removed or embedded anew."""

    detail = Text(
        "The vectors that this was to be looked up in are not there any more: the collection was removed "
        "or embedded anew meanwhile.",
        "찾아볼 벡터가 더 이상 없습니다. 그사이 컬렉션이 삭제되었거나 다시 임베딩되었습니다.",
    )
    remedy = Text("Ask again.", "다시 시도하세요.")


class TooManyDimensions(Conflict):
    detail = Text(
        "The embedder's vectors have {dimensions} numbers; a collection in PostgreSQL takes {limit} at most.",
        "임베더의 벡터는 {dimensions}차원인데, PostgreSQL 컬렉션은 최대 {limit}차원까지 담을 수 있습니다.",
    )
    remedy = Text(
        "Keep them as 16-bit numbers (`half`), which goes up to {half_limit}, or in Qdrant.",
        "16비트 벡터(`half`)로 두면 {half_limit}차원까지 됩니다. 또는 Qdrant에 두세요.",
    )


class StoreUnknown(TwotrackError):
    status = 409
    detail = Text(
        "Collection {name!r} keeps its vectors in Qdrant, and this studio knows no Qdrant server.",
        "컬렉션 {name!r}은(는) 벡터를 Qdrant에 두는데, 이 스튜디오에는 Qdrant 서버가 설정되어 있지 않습니다.",
    )
    remedy = Text(
        "Install the extra `qdrant` and set TWOTRACK_QDRANT_URL, or make the collection with the store "
        "pgvector.",
        "추가 구성 `qdrant`를 설치하고 TWOTRACK_QDRANT_URL을 설정하거나 pgvector 저장소로 컬렉션을 만드세요.",
    )
