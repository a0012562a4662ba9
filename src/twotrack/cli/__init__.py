"""`twotrack`: one visible table of commands; the bodies live beside it and import what they need when run."""

from collections.abc import Callable

import typer

from twotrack.cli.options import words


def build() -> typer.Typer:
    """The command line as one table, in the order in which `--help` shows it."""
    from twotrack.cli import (
        chat,
        collections,
        data,
        demo,
        doctor,
        effect,
        eq,
        estimate,
        export,
        ingest,
        jobs,
        keys,
        learn,
        map,
        models,
        page,
        rag,
        recipes,
        score,
        studio,
        train,
    )

    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=words(
            "Twotrack: serve open language models, tune them, and see what the tuning did.",
            "Twotrack: 공개 언어 모델을 서비스하고, 튜닝하고, 튜닝의 효과를 확인합니다.",
        ),
    )
    table: tuple[tuple[str, Callable[..., None], str], ...] = (
        ("up", studio.up, words("start the studio", "스튜디오 시작")),
        ("down", studio.down, words("stop the studio", "스튜디오 종료")),
        ("status", studio.status, words("how the studio is", "스튜디오 상태")),
        ("chat", chat.chat, words("talk to a variant", "변형과 대화")),
        ("pull", models.pull, words("fetch a base", "베이스 가져오기")),
        ("ask", rag.ask, words("answer from documents", "문서에서 답하기")),
        ("ingest", ingest.ingest, words("take documents in", "문서 불러오기")),
        ("map", map.show_map, words("where a model can be tuned", "모델의 튜닝 지점 지도")),
        ("estimate", estimate.estimate, words("time and memory of a run", "학습의 시간과 메모리 예측")),
        ("train", train.train, words("train a LoRA adapter", "LoRA 어댑터 학습")),
        ("score", score.score, words("what a variant learned and forgot", "배운 것과 잊은 것 재기")),
        ("effect", effect.effect, words("what each cell of a board does", "보드의 칸마다 효과 보기")),
        ("recipes", recipes.recipes, words("recipes to begin with", "시작하기 좋은 레시피")),
        ("learn", learn.learn, words("learn from corrections in the chat", "대화에서 고친 답변 학습")),
        (
            "export",
            export.export,
            words("a variant as files", "변형을 파일로 내보내기"),
        ),
        ("jobs", jobs.jobs, words("list long-running work, or cancel it", "진행 중인 작업 목록과 취소")),
        ("demo", demo.demo, words("the whole loop on the starter model", "스타터 모델로 전체 과정 시연")),
        ("page", page.page, words("copy the page for a static host", "정적 호스트용 화면 사본 만들기")),
        ("doctor", doctor.doctor, words("what works on this machine", "이 컴퓨터에서 되는 것 확인")),
        ("serve", studio.serve, words("the API alone (DATABASE_URL)", "API만 실행 (DATABASE_URL)")),
        ("worker", studio.worker, words("one worker alone (DATABASE_URL)", "워커만 실행 (DATABASE_URL)")),
    )
    for name, body, text in table:
        app.command(name, help=text)(body)

    models_table = (
        ("list", models.list_models, words("all of them", "전체 목록")),
        ("show", models.show, words("one of them", "자세히 보기")),
        ("remove", models.remove, words("remove one", "삭제")),
    )
    collections_table = (
        ("list", collections.list_collections, words("all of them", "전체 목록")),
        ("show", collections.show, words("the documents of one", "문서 보기")),
        ("create", collections.create, words("make an empty one", "빈 컬렉션 만들기")),
        ("rename", collections.rename, words("give one another name", "이름 바꾸기")),
        ("embed", collections.embed, words("make its vectors anew", "벡터 다시 만들기")),
        ("remove", collections.remove, words("remove one with its documents", "문서까지 모두 삭제")),
    )
    rag_table = (
        ("search", rag.search, words("what is found for a question", "질문에 대해 찾은 구절")),
        ("eval", rag.evaluate, words("measure it on labelled questions", "라벨이 있는 질문으로 평가")),
    )
    data_table = (
        ("check", data.check, words("what is in it, and what is wrong", "내용과 문제점 검사")),
        ("shape", data.shape, words("write what is worth learning", "학습할 것만 골라 쓰기")),
        ("mix", data.mix, words("several sets by weight, with guarantees", "가중치와 보장 개수로 섞기")),
        ("split", data.split, words("into train, tuning and proof, by fact", "사실 단위로 나누기")),
        ("tokens", data.tokens, words("what is prompt and what is trained", "프롬프트와 학습 부분 보기")),
    )
    eq_table = (
        ("show", eq.show, words("its gains, band by band", "구간별 게인 보기")),
        (
            "set",
            eq.set_cells,
            words("turn cells; keep them as a variant or a file", "칸을 조절해 변형이나 파일로 저장"),
        ),
    )
    keys_table = (
        ("list", keys.list_keys, words("all of them", "전체 목록")),
        ("create", keys.create, words("make one; its secret is shown once", "발급(비밀 값은 한 번만 표시)")),
        ("renew", keys.renew, words("another secret for the same key", "같은 키에 새 비밀 값 발급")),
        ("change", keys.change, words("another name, role or end", "이름, 역할, 만료 변경")),
        ("revoke", keys.revoke, words("end one at once", "즉시 폐기")),
    )
    for name, text, commands in (
        ("models", words("bases, adapters and variants", "베이스, 어댑터, 변형"), models_table),
        ("collections", words("documents to answer from", "답변에 쓰는 문서"), collections_table),
        ("rag", words("search in documents", "문서 검색"), rag_table),
        ("data", words("training data", "학습 데이터"), data_table),
        ("eq", words("the board of a variant", "변형의 보드"), eq_table),
        ("keys", words("who may use the studio", "스튜디오를 쓸 수 있는 키"), keys_table),
    ):
        group = typer.Typer(no_args_is_help=True, help=text, rich_markup_mode=None)
        for command, run, explanation in commands:
            group.command(command, help=explanation)(run)
        app.add_typer(group, name=name)
    return app


def main() -> None:
    """The console script: errors that a user can act on end as words and exit code 1."""
    import os
    import sys

    from twotrack.cli.client import ProblemError
    from twotrack.cli.output import Output
    from twotrack.core.errors import FileUnusable, TwotrackError

    output = Output(as_json="--json" in sys.argv)
    try:
        build()()
    except TwotrackError as error:
        output.fail(error)
    except ProblemError as error:
        output.fail_with(error.problem)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # `twotrack … | head`: whoever reads has gone. Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        if error.filename is None:
            raise
        output.fail(FileUnusable(path=str(error.filename)[:200], why=error.strerror))
