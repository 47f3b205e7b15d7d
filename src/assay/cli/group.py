"""The command that puts pictures into groups."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Folder, Json, Out, Processes, app, do, finish, listed, show

_LISTED = 20  # groups that are printed


@app.command(epilog="Example: assay group photos/ --method hierarchical --k 2")
def group(
    path: Folder,
    *,
    method: Annotated[
        str, typer.Option(help="'kmeans', 'hierarchical', 'dbscan', 'hdbscan' or 'meanshift'.")
    ] = "kmeans",
    features: Annotated[
        str, typer.Option(help="What likeness is: 'network', of what is shown, or 'hsv', of colours.")
    ] = "network",
    k: Annotated[
        int | None, typer.Option(help="Groups, for kmeans and hierarchical; by default, those that lie farthest apart.")
    ] = None,
    labels: Annotated[
        str, typer.Option(help="To compare with: 'folders', 'none', or a CSV file with the columns file and label.")
    ] = "folders",
    out: Out = None,
    into: Annotated[
        Path | None, typer.Option(help="A new folder for copies of the pictures, one folder a group.")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Put links there, rather than copies.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Put pictures into groups that look alike, and say whether there are groups at all."""
    from ..tasks.group import group as work

    result = do(
        work,
        path=path,
        method=method,
        features=features,
        k=k,
        labels=labels,
        out=out,
        into=into,
        link=link,
        seed=seed,
        processes=processes,
    )
    lines = [result.headline, *result.notes, ""]
    lines += [f"  {g.count:7,}  {g.name}, such as {g.example}" for g in result.groups[:_LISTED]]
    more = len(result.groups) - _LISTED
    lines += [f"  and {more:,} more groups, in the table"] if more > 0 else []
    lines += [f"  {result.ungrouped:7,}  in no group"] if result.ungrouped else []
    lines += listed(result.problems)
    show(result, [*lines, "", *(f"wrote  {file}" for file in result.written)], as_json=json)
    finish(p.status for p in result.problems)
