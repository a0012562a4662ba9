"""`python -m benchmarks [NAME …]`: run all benchmarks, or those named, and print one table."""

import argparse
import importlib
import os
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row

# Each module has `run() -> list[Row]`; a new benchmark is a new module and a line here.
BENCHMARKS = (
    *("decode", "prefix", "clients", "memory", "installation", "page"),
    *("map", "board", "ingest", "retrieval", "training", "suggested_board", "forecast", "stores"),
    "documents_memory",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    # As the studio's engines wait: on a busy machine, threads that spin would slow the bare engine alone.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console = Console()
    rows: list[Row] = []
    for name in names:
        console.print(f"[dim]{name} …[/]")
        rows += importlib.import_module(f"benchmarks.{name}").run()
    table = Table(title="Twotrack benchmarks", show_lines=False)
    for heading in ("benchmark", "figure", "measured", "target", ""):
        table.add_column(heading)
    marks = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}
    for row in rows:
        table.add_row(row.benchmark, row.figure, row.measured, row.target, marks[row.reached])
    console.print(table)
    sys.exit(any(row.reached is False for row in rows))


if __name__ == "__main__":
    main()
