"""The command line: arguments in, tasks out; the only place that prints or exits.

Results go to standard output, progress and errors to standard error. Exit 0: fine; 1: files are broken; 2: bad input.
"""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from .errors import AssayError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to import than --help may take in all
    pretty_exceptions_enable=False,
    help="From a folder of pictures to a model you can trust, on this computer, with nothing uploaded.",
    epilog="Example: assay run photos/",
)

Folder = Annotated[Path, typer.Argument(metavar="PATH", help="A folder of pictures; it is never written to.")]
Out = Annotated[Path | None, typer.Option(help="The workspace; ./NAME.assay by default.")]
Processes = Annotated[int | None, typer.Option(help="Processes that read pictures; one per processor by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Seed = Annotated[int, typer.Option(help="Of the split and of everything random.")]


class _Stop:
    """Ctrl-C once: the batch under way is finished and kept. Twice: stop at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after this batch; once more to stop at once", file=sys.stderr)


def _do(work: Callable[..., Any], **arguments: Any) -> Any:
    """Run a task with progress on standard error; turn what can go wrong into a line and an exit status."""
    from .workers.clock import line

    stop, tell = _Stop(), line(sys.stderr)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop.ask)
    try:
        return work(**arguments, tell=tell, stop=stop)
    except AssayError as e:
        tell("")
        print(f"assay: {_visible(str(e))}", file=sys.stderr)
        raise typer.Exit(2) from e
    except KeyboardInterrupt as e:
        tell("")
        print("assay: stopped; everything read so far is kept, the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from e
    finally:
        tell("")


def _visible(text: str) -> str:
    """Spell out what would break the line, move the cursor, change the direction of text or cannot be encoded."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _print(result: Any, lines: list[str], *, as_json: bool) -> None:
    from .report import record

    print(record.as_json(result) if as_json else "\n".join(map(_visible, lines)))


@app.command(epilog="Example: assay run photos/ --positive defect --prevalence 0.01")
def run(
    path: Folder,
    *,
    labels: Annotated[
        str,
        typer.Option(help="'folders', 'none', or a CSV file with the columns file and label (group, part at need)."),
    ] = "folders",
    out: Out = None,
    positive: Annotated[
        str | None, typer.Option(help="Of two classes, the one that a flag means; the rarer by default.")
    ] = None,
    specificity: Annotated[
        float | None, typer.Option(help="Share of negatives that the cut-off must pass, such as 0.9.")
    ] = None,
    cost_fp: Annotated[float, typer.Option(help="Cost of a false alarm.")] = 1.0,
    cost_fn: Annotated[float, typer.Option(help="Cost of a miss, in the same unit.")] = 1.0,
    prevalence: Annotated[float | None, typer.Option(help="Share of positives where the model will be used.")] = None,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Look at 3 x 3 tiles too: slower by 10, better for small things.")
    ] = False,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """The main job: read, name what is broken, find copies, group, and where there are labels learn and judge."""
    from .tasks.run import run as work

    result = _do(
        work,
        path=path,
        labels=labels,
        out=out,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        tiles=tiles,
        seed=seed,
        processes=processes,
    )
    places = [
        f"report  {result.report}",
        f"list    {result.table}",
        *([f"model   {result.model}"] if result.model else []),
    ]
    _print(result, [result.headline, *result.sentences, "", *places], as_json=json)
    _exit(result.scan)


@app.command(epilog="Example: assay scan photos/ --json")
def scan(path: Folder, *, out: Out = None, processes: Processes = None, json: Json = False) -> None:
    """Read every file, say which are broken or odd, and keep what was found."""
    from .tasks.scan import scan as work

    result = _do(work, path=path, out=out, processes=processes)
    counts = ", ".join(f"{n:,} {status}" for status, n in result.statuses.items()) or "no files"
    lines = [f"{counts}; {result.read:,} read in {result.seconds:.1f} s"]
    lines += (
        [f"passed over: {', '.join(f'{n:,} {what}' for what, n in result.skipped.items())}"] if result.skipped else []
    )
    found = {name: n for name, n in result.issues.items() if n}
    lines += [f"issues: {', '.join(f'{name} {n:,}' for name, n in found.items())}"] if found else []
    lines += [f"  {p.status}  {p.path}: {p.reason}" for p in result.problems[:20]]
    lines += [f"  and {len(result.problems) - 20:,} more; --json lists them all"] if len(result.problems) > 20 else []
    _print(result, lines, as_json=json)
    _exit(result)


@app.command(epilog="Example: assay predict photos.assay/model.assay new/ --csv > labels.csv")
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .assay file.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, and folders of pictures.")],
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Label pictures with a model; "none of these" where a picture is like nothing it learned from."""
    from .report import record
    from .tasks.predict import predict as work

    result = _do(work, model=model, paths=paths, processes=processes)
    if csv:
        header = ["file", "label", "probability", *result.classes, "status", "reason"]
        blank = [None] * len(result.classes)
        rows = [[r.file, r.label, r.probability, *(r.probabilities or blank), r.status, r.reason] for r in result.rows]
        print(record.as_csv(header, rows), end="")
    else:
        width = max((len(_visible(r.label)) for r in result.rows), default=0)
        lines = [
            f"{_visible(r.label):{width}}  {r.probability:.2f}  {r.file}"
            if r.status == "ok"
            else f"{r.status}: {r.reason}  {r.file}"
            for r in result.rows
        ]
        _print(result, lines or ["no files"], as_json=json)


def _exit(result: Any) -> None:
    broken = sum(n for status, n in result.statuses.items() if status not in ("ok", "refused"))
    raise typer.Exit(1 if broken else 0)


def main() -> None:
    """Start the command line."""
    app()
