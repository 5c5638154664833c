"""Tables of a page, which its script lets people sort. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workers.page.text import shown


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell shows; where it is a number, also the number by which it is sorted.

    Attributes:
        text: As it is, not escaped.
        number: None for text.
    """

    text: str
    number: float | None = None


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], sorted_by: int | None = None
) -> str:
    """The table; the first cell of each row names it.

    Args:
        caption: What it holds.
        heads: The columns' names.
        rows: A cell for each column.
        sorted_by: The column that the rows are sorted by, largest first.
    """
    columns = "".join(
        f'<th scope="col"{_SORTED if number == sorted_by else ""}>{shown(head)}</th>'
        for number, head in enumerate(heads)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{shown(caption)}"><table>'
        f"<caption>{shown(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


_SORTED = ' aria-sort="descending"'


def _cell(cell: Cell) -> str:
    if cell.number is None:
        return f"<td>{shown(cell.text)}</td>"
    return f'<td data-n="{cell.number!r}">{shown(cell.text)}</td>'
