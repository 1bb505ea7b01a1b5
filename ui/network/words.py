"""The numbers of a sizing as people read them."""


def shape_text(shape: tuple[int, int, int]) -> str:
    """A shape (C, H, W) as in 64×16×16."""
    return "×".join(str(length) for length in shape)


def millions(number: int) -> str:
    """Multiply-adds in millions, as in 23.57 M."""
    return f"{number / 1e6:,.2f} M"


def kibibytes(number: int) -> str:
    """Bytes in KiB."""
    return f"{number / 1024:,.0f} KiB"


def pixels(number: int) -> str:
    """A length in input pixels."""
    return f"{number} px"
