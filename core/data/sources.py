"""Which datasets there are, and loading one by name."""

from pathlib import Path

from core.data import cache, shapes
from core.data.dataset import Dataset
from core.errors import DataError

SHAPES_TITLE = "Shapes (built-in stand-in)"


def load(name: str, root: Path) -> Dataset:
    """The dataset called `name`; decoded and cached under `root` the first time, memory-mapped after that."""
    if name == "shapes":
        return cache.load_or_decode(
            root,
            f"shapes-{shapes.VERSION}",
            shapes.draw_shapes,
            name=name,
            title=SHAPES_TITLE,
            is_stand_in=True,
        )
    raise DataError(f"{name}: there is no such dataset; choose shapes")
