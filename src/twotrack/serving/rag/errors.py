"""What can keep a question from being answered out of documents."""

from twotrack.core.errors import NotFound
from twotrack.core.language import Text


class NoCollection(NotFound):
    detail = Text("There are no documents to answer from.", "답을 찾을 문서가 없습니다.")
    remedy = Text(
        "`twotrack ingest FOLDER` takes some in, or drop files on the page.",
        "`twotrack ingest 폴더`로 문서를 넣거나 화면에 파일을 끌어다 놓으세요.",
    )
