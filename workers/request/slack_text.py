"""Slack's form of a text turned back into what the person typed.

Slack escapes `&`, `<` and `>` once and wraps links, channels and people in `<…>` (Slack, "Formatting text for
app surfaces"); editors and phones put smart quotes, dashes and spaces in the place of plain ones.
"""

import re

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("&(?:amp|lt|gt);")

# A typed `<` arrives as `&lt;`, so a bare one opens Slack's markup. Told apart from text that was never
# escaped ("len < 100") by what follows it.
_MARKUP = re.compile(
    r"<(?P<target>[#@!][^<>|\s]+|[A-Za-z][A-Za-z0-9+.-]*:[^<>|\s]+)(?:\|(?P<label>[^<>]*))?>"
)
_SCHEME = re.compile(r"(?:https?|ftp)://|mailto:|tel:")

_CODE = re.compile(r"(`{1,3})([^`]+)\1")

_TYPED = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛′", "'"),  # noqa: RUF001, the look-alikes are the point
        **dict.fromkeys("‐‑‒–―−", "-"),  # noqa: RUF001, the look-alikes are the point
        "—": "--",  # macOS and iOS make one em dash of two hyphens
        "…": "...",
        **dict.fromkeys(map(chr, [0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]), " "),
        # Zero-width characters, soft hyphens and marks of writing direction: nobody types them.
        **dict.fromkeys(
            [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
        ),
    }
)


def plain(text: str) -> str:
    """The text as it was typed, from a slash command's or a message's `text`.

    A link or mention becomes its label (`<http://x.io|x.io>` is `x.io`, `<#C1|ops>` is `#ops`), a link
    without one its address without the scheme, code its content. Printable ASCII without `&`, `<` and
    backticks comes back unchanged.
    """
    unwrapped = _MARKUP.sub(_typed_for, text)
    unescaped = _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], unwrapped)
    return _CODE.sub(r"\2", unescaped.translate(_TYPED))


def _typed_for(markup: re.Match[str]) -> str:
    target, label = markup["target"], markup["label"]
    if target[0] in "#@":
        return target[0] + (label or target[1:]).removeprefix(target[0])
    if target[0] == "!":
        return label or "@" + target[1:]
    return label or _SCHEME.sub("", target, count=1).rstrip("/")
