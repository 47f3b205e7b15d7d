"""What every command shares: the program, its options, progress, Ctrl-C, and how results and errors are printed."""

import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from ..errors import AssayError

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
Positive = Annotated[str | None, typer.Option(help="Of two classes, the one that a flag means; the rarer by default.")]
Specificity = Annotated[float | None, typer.Option(help="Share of negatives that the cut-off must pass, such as 0.9.")]
CostFp = Annotated[float, typer.Option(help="Cost of a false alarm.")]
CostFn = Annotated[float, typer.Option(help="Cost of a miss, in the same unit.")]
Prevalence = Annotated[float | None, typer.Option(help="Share of positives where the model will be used.")]
_LISTED = 20  # files that are no pictures, that are printed


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


def do(work: Callable[..., Any], **arguments: Any) -> Any:
    """Run a task with progress on standard error; turn what can go wrong into a line and an exit status.

    Args:
        work: the task; it takes tell and stop as well.
        arguments: of the task.

    Returns:
        What the task returns.
    """
    from ..workers.clock import line

    stop, tell = _Stop(), line(sys.stderr)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop.ask)
    try:
        return work(**arguments, tell=tell, stop=stop)
    except AssayError as e:
        tell("")
        print(f"assay: {visible(str(e))}", file=sys.stderr)
        raise typer.Exit(2) from e
    except KeyboardInterrupt as e:
        tell("")
        print("assay: stopped; everything read so far is kept, the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from e
    finally:
        tell("")


def visible(text: str) -> str:
    """Spell out what would break the line, move the cursor, change the direction of text or cannot be encoded.

    Args:
        text: of any origin.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def listed(problems: Sequence[Any]) -> list[str]:
    """List files that are no pictures.

    Args:
        problems: of a result, `data.folder.Problem`.

    Returns:
        A line for each of the first, and one that says how many more there are.
    """
    lines = [f"  {p.status}  {p.path}: {p.reason}" for p in problems[:_LISTED]]
    more = len(problems) - _LISTED
    return [*lines, f"  and {more:,} more; --json lists them all"] if more > 0 else lines


def finish(statuses: Iterable[str]) -> NoReturn:
    """End with exit status 1 where a file is broken, else 0.

    Args:
        statuses: of files.

    Raises:
        typer.Exit: always.
    """
    raise typer.Exit(1 if any(status not in ("ok", "refused") for status in statuses) else 0)


def show(result: Any, lines: list[str], *, as_json: bool) -> None:
    """Print a result.

    Args:
        result: of a task.
        lines: what a person reads.
        as_json: print the result itself instead, as one JSON object.
    """
    from ..report import record

    print(record.as_json(result) if as_json else "\n".join(map(visible, lines)))
