"""How what was found in training data is shown on a terminal."""

from typing import TYPE_CHECKING

from rich.text import Text as Styled

from twotrack.cli.output import Output, printable
from twotrack.core.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twotrack.learning.data.mixing import Mixed
    from twotrack.learning.data.report import Report, Share, Spread, Words
    from twotrack.learning.data.shape import Shaped
    from twotrack.learning.data.splitting import Split
    from twotrack.learning.data.token_view import SeenRow

_SHOWN = 5


def show_report(output: Output, report: "Report") -> None:
    output.say(
        Text(
            "{name}: {format} in {file}, {rows:,} rows, {samples:,} samples, {groups:,} different facts",
            "{name}: {format} 형식({file}), {rows:,}행 중 샘플 {samples:,}개, 서로 다른 사실 {groups:,}개",
        ),
        name=report.name,
        format=report.format,
        file=report.file,
        samples=report.samples,
        rows=report.rows,
        groups=report.groups,
    )
    for finding in report.findings:
        output.say(
            Text(
                "[yellow]![/] {rows:,} {name} [dim]({fix})[/]",
                "[yellow]![/] {name} {rows:,}건 [dim]({fix})[/]",
            ),
            rows=finding.rows,
            name=_in(output, finding.name),
            fix=_in(output, finding.fix),
        )
        for example in finding.examples[:_SHOWN]:
            other = Text(" (see {other})", " ({other} 참고)") if example.other is not None else Text("", "")
            output.say(
                Text("    line {line}: {what}{other}", "    {line}번째 줄: {what}{other}"),
                line=example.line,
                what=_in(output, example.what),
                other=other.show(output.language, other=example.other),
            )
        if (left := finding.rows - min(_SHOWN, len(finding.examples))) > 0:
            output.say(Text("    … and {left:,} more", "    … 외 {left:,}건"), left=left)
    if report.given_away:
        output.say(
            Text(
                "[yellow]![/] held-out questions that hold their own answer: lines {lines}",
                "[yellow]![/] 답이 질문에 들어 있는 평가용 질문: {lines}번째 줄",
            ),
            lines=", ".join(map(str, report.given_away)),
        )
    if not report.findings and not report.given_away:
        output.say(Text("[green]✓[/] nothing wrong with it", "[green]✓[/] 문제가 없습니다"))
    _show_balance(output, report)
    output.say(Text("fingerprint {fingerprint}", "지문 {fingerprint}"), fingerprint=report.fingerprint)


def show_shaped(output: Output, shaped: "Shaped") -> None:
    output.say(
        Text(
            "[green]✓[/] {file}: {samples:,} samples of {rows:,} rows; {source} is as it was",
            "[green]✓[/] {file}: {rows:,}행 중 샘플 {samples:,}개. {source} 파일은 그대로입니다",
        ),
        file=shaped.file,
        samples=shaped.samples,
        rows=shaped.rows,
        source=shaped.source,
    )
    if shaped.left_out:
        reasons = ", ".join(f"{name} {count:,}" for name, count in shaped.left_out.items())
        output.say(Text("  left out: {reasons}", "  제외: {reasons}"), reasons=reasons)
    if shaped.masked:
        output.say(Text("  masked: {count:,} samples", "  가림: 샘플 {count:,}개"), count=shaped.masked)
    output.say(Text("fingerprint {fingerprint}", "지문 {fingerprint}"), fingerprint=shaped.fingerprint)


def show_mixed(output: Output, mixed: "Mixed") -> None:
    output.say(
        Text("[green]✓[/] {file}: {samples:,} samples", "[green]✓[/] {file}: 샘플 {samples:,}개"),
        file=mixed.file,
        samples=mixed.samples,
    )
    columns = (
        Text("set", "데이터"),
        Text("samples", "샘플"),
        Text("taken", "사용"),
        Text("times each", "반복"),
        Text(f"least in {mixed.window}", f"{mixed.window}개당 최소"),
        Text("left out", "제외"),
    )
    output.table(
        columns,
        [
            (one.name, f"{one.samples:,}", f"{one.taken:,}", f"{one.seen:g}", one.least, one.left_out)
            for one in mixed.parts
        ],
    )
    output.say(Text("fingerprint {fingerprint}", "지문 {fingerprint}"), fingerprint=mixed.fingerprint)


def show_split(output: Output, split: "Split") -> None:
    output.say(
        Text(
            "[green]✓[/] {samples:,} samples in {groups:,} whole groups, the largest of {largest:,}",
            "[green]✓[/] 샘플 {samples:,}개, 묶음 {groups:,}개(가장 큰 것 {largest:,}개), 쪼갠 묶음 없음",
        ),
        samples=split.samples,
        groups=split.groups,
        largest=split.largest_group,
    )
    columns = (
        Text("part", "부분"),
        Text("file", "파일"),
        Text("samples", "샘플"),
        Text("groups", "묶음"),
        Text("share", "비율"),
        Text("wanted", "요청"),
    )
    output.table(
        columns,
        [
            (
                one.name,
                one.file,
                one.samples,
                one.groups,
                f"{one.samples / split.samples:.1%}",
                f"{one.wanted:.1%}",
            )
            for one in split.parts
        ],
    )


def show_tokens(output: Output, rows: "Sequence[SeenRow]") -> None:
    for row in rows:
        output.say(
            Text(
                "line {line}: {tokens} tokens, [green]{trained} trained[/], the others read",
                "{line}번째 줄: {tokens} 토큰 중 [green]{trained} 토큰 학습[/], 나머지는 읽기만",
            ),
            line=row.line,
            tokens=len(row.tokens),
            trained=row.trained,
        )
        shown = Styled()
        for run in row.runs:
            shown.append(printable(run.text), style="green" if run.trained else "dim")
        output.console.print(shown, soft_wrap=True)


def _show_balance(output: Output, report: "Report") -> None:
    for name, shares in (
        (Text("languages", "언어"), report.languages),
        (Text("answers in a conversation", "대화당 답변 수"), report.turns),
        (Text("sources", "출처"), report.sources),
    ):
        if len(shares) > 1 or (shares and name.en == "languages"):
            output.say(
                Text("  {name}: {shares}", "  {name}: {shares}"),
                name=name.show(output.language),
                shares=_shares(shares, report.samples),
            )
    if report.crossing:
        output.say(
            Text("  answered in another language: {count:,}", "  질문과 다른 언어의 답변: {count:,}"),
            count=report.crossing,
        )
    for title, spread in (
        (Text("question, characters", "질문 글자 수"), report.questions),
        (Text("answer, characters", "답변 글자 수"), report.answers),
    ):
        if spread is not None:
            output.say(
                Text("  {name}: {spread}", "  {name}: {spread}"),
                name=title.show(output.language),
                spread=_spread(output, spread),
            )
    if (fit := report.fit) is not None and fit.tokens is not None:
        output.say(
            Text(
                "  tokens for {base} (context {limit:,}): {spread}; about {total:,} in all",
                "  {base} 토큰(컨텍스트 {limit:,}): {spread}, 전체 약 {total:,}",
            ),
            base=fit.base,
            limit=fit.limit,
            spread=_spread(output, fit.tokens),
            total=fit.total,
        )


def _shares(shares: "Sequence[Share]", samples: int) -> str:
    return ", ".join(f"{one.name} {one.samples / max(1, samples):.0%}" for one in shares[:8])


def _spread(output: Output, spread: "Spread") -> str:
    return Text("{least:,} to {most:,}, half up to {median:,}", "{least:,}~{most:,}, 중앙값 {median:,}").show(
        output.language, **spread.model_dump()
    )


def _in(output: Output, words: "Words") -> str:
    return words.ko if output.language == "ko" else words.en
