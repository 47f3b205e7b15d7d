"""The page: parts of a report as HTML, and the one offline file that holds them.

Text and numbers go in, `Html` comes out. Every part escapes what is not `Html` yet, so a file name can never
become markup. No script, nothing fetched: the page forbids both to itself.
"""

import html
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from ..stats.intervals import Estimate
from .theme import STYLE

_ROWS = 20  # of a long table that are shown before the rest is folded away
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# What steers the line, the terminal or the reading direction, or is not seen at all.
_HIDDEN = {*"\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff\ufffe\uffff"} | {
    chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xFFF9, 0xFFFC))
}


class Html(str):
    """Text that is markup already: the parts of a page return it, and leave it alone where they are given it."""

    __slots__ = ()


def visible(text: str) -> str:
    r"""Spell out what cannot be seen or cannot be written: controls, direction marks, stray bytes.

    Args:
        text: anything, such as a file name as the file system gives it.

    Returns:
        Text that any encoding and any line can hold: a newline becomes \n, a byte that is no UTF-8 \xff.

    >>> print(visible("a\nb\u202ejpg\udcff"))
    a\nb\u202ejpg\xff
    """
    return "".join(_spelled(c) if unicodedata.category(c) in {"Cc", "Cs"} or c in _HIDDEN else c for c in text)


def _spelled(character: str) -> str:
    code = ord(character)
    stray = 0xDC80 <= code <= 0xDCFF  # os.fsdecode puts the bytes it cannot read there
    return f"\\x{code - 0xDC00:02x}" if stray else repr(character)[1:-1]


def safe(text: str) -> Html:
    """Escape text for a page; what is `Html` already stays as it is.

    Args:
        text: anything.

    Returns:
        Markup that shows the text and does nothing, between tags and between quotes.

    >>> safe('<img src="x">')
    '&lt;img src=&quot;x&quot;&gt;'
    """
    return text if isinstance(text, Html) else Html(html.escape(visible(text)))


def join(*parts: str) -> Html:
    """Put parts behind each other.

    Args:
        parts: Html, or text, which is escaped.

    Returns:
        All of them, in order.
    """
    return Html("".join(map(safe, parts)))


def number(value: float) -> str:
    """Write a rate with two decimals, or three where two would make it perfect.

    Args:
        value: any number.

    Returns:
        The text. 1.00 and 0.00 stand for nothing but themselves.

    >>> [number(x) for x in (0.874, 0.9962, 0.99999, 1, 0.0001, float("nan"))]
    ['0.87', '0.996', '>0.999', '1.00', '<0.001', '–']
    """
    if not math.isfinite(value):
        return "–"
    if 0.995 <= value < 1:
        return ">0.999" if value >= 0.9995 else f"{value:.3f}"
    if 0 < value < 0.005:
        return "<0.001" if value < 0.0005 else f"{value:.3f}"
    return f"{value:.2f}"


def count(n: int, noun: str) -> str:
    """Write a count with its noun.

    Args:
        n: >= 0.
        noun: in the singular; its plural takes an s.

    Returns:
        The text, thousands with a comma.

    >>> count(1, "file"), count(2624, "file")
    ('1 file', '2,624 files')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def between(estimate: Estimate) -> str:
    """Write an interval.

    Args:
        estimate: any.

    Returns:
        Its ends, as in "0.83 – 0.90".
    """
    return f"{number(estimate.low)} – {number(estimate.high)}"


def figure(estimate: Estimate | None) -> Html:
    """Write an estimate into a cell.

    Args:
        estimate: or None, where there are too few to say.

    Returns:
        Value and interval, such as "0.87 0.83 – 0.90", the interval in the quieter colour.
    """
    if estimate is None:
        return Html('<span class="dim">too few to say</span>')
    ends = safe(between(estimate) + (", optimistic here" if estimate.optimistic else ""))
    return Html(f'<span class="figure">{safe(number(estimate.value))} <span class="dim">{ends}</span></span>')


def rail(estimate: Estimate | None, *, baseline: float | None = None) -> Html:
    """Draw an interval on a line from 0 to 1, with a dotted mark at what a guess would reach.

    Args:
        estimate: a rate, or None.
        baseline: what a guess would reach, or None.

    Returns:
        The drawing; nothing where the interval does not lie within 0 and 1.
    """
    if estimate is None or not 0 <= estimate.low <= estimate.value <= estimate.high <= 1:
        return Html("")
    left, width, point = (100 * x for x in (estimate.low, estimate.high - estimate.low, estimate.value))
    mark = "" if baseline is None else f'<i class="base" style="left:{100 * min(max(baseline, 0), 1):.1f}%"></i>'
    return Html(
        f'<div class="rail" aria-hidden="true">{mark}<i class="span" style="left:{left:.1f}%;width:{width:.1f}%"></i>'
        f'<i class="point" style="left:{point:.1f}%"></i></div>'
    )


def estimates(rows: Sequence[tuple[str, Estimate | None, float | None]]) -> Html:
    """Tabulate figures: value, interval, and the interval on a rail.

    Args:
        rows: name, estimate (None: too few to say), and what a guess would reach (None: unknown).

    Returns:
        A table, and a line on the dotted marks where there are any; nothing for no rows.
    """
    if not rows:
        return Html("")
    level, lines = next((f"{100 * e.level:g} % interval" for _, e, _ in rows if e), "Interval"), []
    for name, e, baseline in rows:
        told = [f"a guess: {number(baseline)}"] if baseline is not None else []
        under = join(*(Html(f"<br><small>{t}</small>") for t in told + ["optimistic here"] * bool(e and e.optimistic)))
        found = (
            '<td class="dim" colspan="3">cannot be said: too few</td>'
            if e is None
            else f'<td class="num">{safe(number(e.value))}</td><td class="num dim">{safe(between(e))}</td>'
            f'<td class="bar">{rail(e, baseline=baseline)}</td>'
        )
        lines.append(f'<tr><th scope="row">{safe(name)}{under}</th>{found}</tr>')
    head = (
        f'<th scope="col">{level}</th><th scope="col" class="num">value</th><th scope="col" class="num">from – to</th>'
        '<th scope="col" class="bar"><span><i>0</i><i>1</i></span></th>'
    )
    note = "Dotted: what a guess would reach. " * any(b is not None for _, _, b in rows)
    note += "Optimistic: of so few the interval is too narrow." * any(e and e.optimistic for _, e, _ in rows)
    return Html(
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        + (f'<p class="dim small">{note.strip()}</p>' if note else "")
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Collection[int] = ()) -> Html:
    """Tabulate text; wide tables scroll by themselves.

    Args:
        header: names of the columns.
        rows: cells, the first of each names its row.
        numeric: which columns hold numbers, counted from 0; they are set to the right.

    Returns:
        The table.
    """
    side = [' class="num"' if i in numeric else "" for i in range(len(header))]
    head = "".join(f'<th scope="col"{s}>{safe(h)}</th>' for s, h in zip(side, header, strict=True))
    body = "".join(
        f'<tr><th scope="row"{side[0]}>{safe(row[0])}</th>'
        + "".join(f"<td{s}>{safe(cell)}</td>" for s, cell in zip(side[1:], row[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    return scroll(Html(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"), label=", ".join(header))


def scroll(part: str, *, label: str) -> Html:
    """Let a part scroll sideways by itself where the page is narrower.

    Args:
        part: a table or a plot.
        label: what it is, for those who come to it by keyboard.

    Returns:
        The part in a frame.
    """
    return Html(f'<div class="scroll" tabindex="0" role="region" aria-label="{safe(label)}">{safe(part)}</div>')


def folded(header: Sequence[str], rows: Sequence[Sequence[str]], *, rest: str, numeric: Collection[int] = ()) -> Html:
    """Tabulate text, and fold the tail of a long table away.

    Args:
        header: names of the columns.
        rows: cells, the first of each names its row; 20 are shown.
        rest: what the others are, such as "other classes".
        numeric: which columns hold numbers, counted from 0.

    Returns:
        The table.
    """
    shown = table(header, rows[:_ROWS], numeric=numeric)
    if len(rows) <= _ROWS:
        return shown
    return join(shown, details(f"{rest}: {len(rows) - _ROWS:,}", table(header, rows[_ROWS:], numeric=numeric)))


def text(*paragraphs: str, dim: bool = False) -> Html:
    """Set paragraphs.

    Args:
        paragraphs: one text each; empty ones are left out.
        dim: in the quieter colour.

    Returns:
        The paragraphs.
    """
    kind = ' class="dim"' if dim else ""
    return Html("".join(f"<p{kind}>{safe(p)}</p>" for p in paragraphs if p))


def heading(title: str, *, note: str = "") -> Html:
    """Head a part of a section.

    Args:
        title: a few words.
        note: a few more, in the quieter colour.

    Returns:
        The heading.
    """
    more = f' <span class="dim">· {safe(note)}</span>' if note else ""
    return Html(f"<h3>{safe(title)}{more}</h3>")


def chips(items: Iterable[str]) -> Html:
    """Set short facts in a row, each in its own outline.

    Args:
        items: a few words each.

    Returns:
        A list; nothing for no items.
    """
    found = "".join(f'<li class="chip">{safe(item)}</li>' for item in items)
    return Html(f'<ul class="chips">{found}</ul>' if found else "")


def cards(items: Iterable[tuple[str, str, str]]) -> Html:
    """Set cards side by side, as many as there is room for.

    Args:
        items: name, a quieter line under it, and what the card holds.

    Returns:
        The cards; nothing for no items.
    """
    found = "".join(
        f'<div class="card"><b>{safe(name)}</b><span class="dim">{safe(note)}</span>{safe(body)}</div>'
        for name, note, body in items
    )
    return Html(f'<div class="cards">{found}</div>' if found else "")


def two(left: str, right: str) -> Html:
    """Set two parts side by side, or one above the other where the page is narrow.

    Args:
        left: first part.
        right: second part.

    Returns:
        Both.
    """
    return Html(f'<div class="two"><div>{safe(left)}</div><div>{safe(right)}</div></div>')


def details(summary: str, body: str) -> Html:
    """Fold a part away until it is asked for; on paper it is open.

    Args:
        summary: what is inside, in a few words.
        body: the part.

    Returns:
        The folded part.
    """
    return Html(f'<details class="more"><summary>{safe(summary)}</summary>{safe(body)}</details>')


def warning(text: str) -> Html:
    """Warn.

    Args:
        text: what is wrong, and what to do.

    Returns:
        The warning, marked by word and colour.
    """
    return Html(f'<p class="warning"><b>Warning:</b> {safe(text)}</p>')


def verdict(headline: str, sentences: Iterable[str], *, dim: Iterable[str] = ()) -> Html:
    """Give the answer first.

    Args:
        headline: the answer in one sentence.
        sentences: how far it can be trusted, one paragraph each.
        dim: what would settle it, and other quieter paragraphs.

    Returns:
        The verdict.
    """
    body = join(text(headline), text(*sentences), text(*dim, dim=True))
    return Html(f'<section class="verdict" aria-label="Verdict">{body}</section>')


def section(title: str, *parts: str, id: str) -> Html:  # noqa: A002 - HTML's own word for it
    """Set a section under its heading; `document` links to it.

    Args:
        title: the question that it answers.
        parts: what it holds.
        id: its name in links: letters, digits and hyphens.

    Returns:
        The section.
    """
    return Html(f'<section id="{safe(id)}"><h2>{safe(title)}</h2>{join(*parts)}</section>')


def document(title: str, subtitle: str, body: str, *, footer: str) -> Html:
    """Make the page: one file that opens offline and needs no script.

    Args:
        title: of the report, such as "assay · solar-cells".
        subtitle: when and by what it was made.
        body: verdict and sections.
        footer: a quiet last line.

    Returns:
        The whole file, to be written as UTF-8. Links to the sections stand under the verdict.
    """
    body = safe(body)
    # Nothing but `section` writes this tag, because everything else is escaped.
    found = re.findall(r'<section id="([^"]+)"><h2>(.*?)</h2>', body)
    links = "".join(f'<a href="#{id_}">{heading}</a>' for id_, heading in found)
    first = body.find('<section id="')
    if len(found) > 1:
        body = Html(f'{body[:first]}<nav aria-label="Contents">{links}</nav>{body[first:]}')
    return Html(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{safe(title)}</title><style>{STYLE}</style></head><body>"
        f'<a class="skip" href="#main">Skip to the report</a><main id="main">'
        f"<header><h1>{safe(title)}</h1><small>{safe(subtitle)}</small></header>{body}"
        f"<footer>{safe(footer)}</footer></main></body></html>\n"
    )
