"""Text from elsewhere, made safe for a terminal."""


def visible(text: str) -> str:
    r"""The text on one line, with what is no visible character as an escape such as `\n`, `\x1b` or `\u202e`.

    A pod's annotations or a name can hold sequences that colour, move or hide what a terminal shows.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
