"""How commands speak: JSON with --json, else words in the user's language; errors in one place."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Language, Text, from_environment


@dataclass
class Output:
    """With `as_json`, standard output carries only JSON, and words for people go to standard error."""

    as_json: bool = False
    language: Language = field(default_factory=from_environment)

    def __post_init__(self) -> None:
        self.console = Console(stderr=self.as_json, highlight=False)

    def say(self, text: Text, **values: Any) -> None:
        """A message to the user; values are shown as they are, never read as markup."""
        shown = {key: escape(value) if isinstance(value, str) else value for key, value in values.items()}
        self.console.print(text.show(self.language, **shown), soft_wrap=True)

    def plain(self, text: str) -> None:
        """Text that somebody else wrote (a model's answer): no markup, no wrapping, no control sequences."""
        self.console.print(printable(text), markup=False, soft_wrap=True)

    def data(self, value: Any) -> None:
        """The command's result for programs; people get a table or words instead."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    def table(self, columns: Sequence[Text], rows: Sequence[Sequence[Any]]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.show(self.language), overflow="fold")
        for row in rows:
            table.add_row(*(escape(printable("" if cell is None else str(cell))) for cell in row))
        self.console.print(table)

    def fail(self, error: TwotrackError) -> NoReturn:
        self.fail_with(error.problem(self.language))

    def fail_with(self, problem: Mapping[str, Any]) -> NoReturn:
        """Show a problem document (RFC 9457) and end with 1."""
        if self.as_json:
            self.data(problem)
        else:
            self.complain(problem)
        raise SystemExit(1)

    def complain(self, problem: Mapping[str, Any]) -> None:
        """Show a problem document to people, and go on."""
        errors = Console(stderr=True, highlight=False)
        errors.print(f"[bold red]✗[/] {escape(printable(str(problem.get('detail'))))}", soft_wrap=True)
        if remedy := problem.get("remedy"):
            errors.print(f"  {escape(printable(str(remedy)))}", soft_wrap=True)


def printable(text: str) -> str:
    """Without control characters other than newline and tab: a model's words must not drive a terminal."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))
