"""Sizes, counts and progress as people read them."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 packet`, `1,204 packets`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`."""
    teens = number % 100 in {11, 12, 13}
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def size(number: int) -> str:
    """Bytes with SI prefixes, as Wireshark shows them: `812 bytes`, `1.2 kB`, `619 MB`."""
    if number < 1000:  # noqa: PLR2004, SI
        return count(number, "byte")
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 999.5:  # noqa: PLR2004, above it "1000" would be printed
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"  # noqa: PLR2004, two digits


def bar(done: float, total: float, width: int = 12) -> str:
    """A progress bar of `width` characters."""
    share = min(1.0, max(0.0, done / total)) if total > 0 else 1.0
    filled = round(width * share)
    return "▓" * filled + "░" * (width - filled)
