"""The built-in stand-in dataset "shapes": ten classes of 32×32 pictures, drawn from a seed.

One large shape a picture, in any pose, colour and texture, among clutter and partly covered; its colours say
nothing of its class. The pictures are the same to the last byte on every machine: they come from the raw
stream of PCG64, which NumPy keeps stable, and from arithmetic that IEEE 754 defines exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.cache import Decoded
from core.data.dataset import IMAGE_SIDE, Split
from core.data.outlines import OUTLINES, Grid, Outline

VERSION = 2
"""Of the drawing: any change of a pixel needs a new number, which also renews cached copies."""
TRAIN_PER_CLASS = 600
TEST_PER_CLASS = 200

_SEED = 10
_AT_ONCE = 100  # pictures drawn together: their planes fit the processor's cache
_PALETTE = np.array(
    [
        (0.90, 0.25, 0.22), (0.96, 0.52, 0.15), (0.98, 0.78, 0.20), (0.62, 0.80, 0.25), (0.20, 0.68, 0.38),
        (0.10, 0.64, 0.62), (0.20, 0.66, 0.90), (0.20, 0.42, 0.86), (0.40, 0.30, 0.78), (0.64, 0.32, 0.80),
        (0.90, 0.36, 0.66), (0.62, 0.42, 0.28), (0.55, 0.58, 0.62),
    ],
    np.float32,
)  # fmt: skip

_CENTRE = np.float32(IMAGE_SIDE / 2 - 0.5)
_COLUMNS: Grid = (np.arange(IMAGE_SIDE, dtype=np.float32) - _CENTRE).reshape(1, 1, -1)
_ROWS: Grid = -_COLUMNS.reshape(1, -1, 1)  # upwards, in pixels from the centre like the columns


def draw_shapes(seed: int = _SEED, train: int = TRAIN_PER_CLASS, test: int = TEST_PER_CLASS) -> Decoded:
    """The dataset, with `train` and `test` pictures of each class, in mixed order."""
    return Decoded(
        classes=tuple(OUTLINES),
        train=_draw_split(seed, part=0, per_class=train),
        test=_draw_split(seed, part=1, per_class=test),
    )


def _draw_split(seed: int, part: int, per_class: int) -> Split:
    images = np.concatenate(
        [
            picture
            for label, outline in enumerate(OUTLINES.values())
            for picture in _draw_class(outline, _Pencil(seed, part, label), per_class)
        ]
    )
    labels = np.repeat(np.arange(len(OUTLINES), dtype=np.int64), per_class)
    order = np.argsort(_Pencil(seed, part, len(OUTLINES)).raw(len(labels)), kind="stable")
    return Split(images=images[order], labels=labels[order])


def _draw_class(outline: Outline, pencil: "_Pencil", count: int) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, count, _AT_ONCE):
        pencil.count = min(_AT_ONCE, count - start)
        yield _draw(outline, pencil)


class _Pencil:
    """A stream of random numbers, one of each kind for every picture that is being drawn."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(seed)
        self.count = 0

    def raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(count), np.uint64)

    def between(self, low: float, high: float) -> Grid:
        """(count, 1, 1), uniform."""
        unit = (self.raw(self.count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return (low + (high - low) * unit).astype(np.float32).reshape(-1, 1, 1)

    def chance(self, probability: float) -> Grid:
        """(count, 1, 1), 1 with this probability, otherwise 0."""
        return (self.between(0, 1) < np.float32(probability)).astype(np.float32)

    def direction(self) -> tuple[Grid, Grid]:
        """Cosine and sine of any angle, each (count, 1, 1), rounded where libraries differ."""
        angle = self.between(0, 2 * np.pi).astype(np.float64)
        return np.round(np.cos(angle), 5).astype(np.float32), np.round(np.sin(angle), 5).astype(np.float32)

    def colour(self) -> Grid:
        """(count, 1, 1, 3), from the palette."""
        chosen = (self.raw(self.count) % np.uint64(len(_PALETTE))).astype(np.int64)
        return _PALETTE[chosen].reshape(-1, 1, 1, 3)

    def noise(self) -> Grid:
        """(count, 32, 32, 3), triangular on [-1, 1]."""
        values = self.count * IMAGE_SIDE * IMAGE_SIDE * 3
        halves = self.raw(values // 2).astype("<u8").view("<u2").astype(np.float32).reshape(2, values)
        noise: Grid = (halves[0] - halves[1]) / np.float32(65535)
        return noise.reshape(-1, IMAGE_SIDE, IMAGE_SIDE, 3)


def _draw(outline: Outline, pencil: _Pencil) -> NDArray[np.uint8]:
    """`pencil.count` pictures (N, 32, 32, 3) of one outline."""
    ink, ground = _choose_colours(pencil)
    canvas = _paint(ground, pencil, texture=0.35)
    for _ in range(3):
        _add_clutter(canvas, pencil, pencil.between(1.0, 3.5), pencil.between(0.5, 0.9))
    pose = _choose_pose(pencil)
    softness = pencil.between(0.9, 2.0)
    shadow = _coverage(pose.distance(outline, -1.5, -1.5), softness * 2)
    _cover(canvas, shadow, np.float32(0), pencil.between(0.1, 0.35) * pencil.chance(0.5))
    distance = pose.distance(outline, 0, 0)
    _cover(canvas, _coverage(distance, softness), _paint(ink, pencil, texture=0.45), np.float32(1))
    rim = _coverage(np.abs(distance) - np.float32(0.6), softness)
    _cover(canvas, rim, _toned(ink, pencil, 0.6), pencil.chance(0.35))
    for _ in range(2):
        _add_clutter(canvas, pencil, pencil.between(2.0, 4.5), pencil.chance(0.3))
    canvas *= pencil.between(0.75, 1.15)[..., None]
    canvas += pencil.noise() * pencil.between(0.0, 0.14)[..., None]
    pixels: NDArray[np.uint8] = (np.clip(canvas, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return pixels


@dataclass(frozen=True, eq=False, slots=True)
class _Pose:
    """Where and how the shape lies; each field (N, 1, 1), lengths in pixels."""

    across: Grid
    up: Grid
    radius: Grid
    cosine: Grid
    sine: Grid
    stretch: Grid
    shear: Grid

    def distance(self, outline: Outline, right: float, up: float) -> Grid:
        """(N, 32, 32): pixels outside the outline, moved by `right` and `up`."""
        x = _COLUMNS - self.across - np.float32(right)
        y = _ROWS - self.up - np.float32(up)
        turned_x = (x * self.cosine + y * self.sine) / (self.radius * self.stretch)
        turned_y = (y * self.cosine - x * self.sine) / (self.radius / self.stretch)
        return outline(turned_x + self.shear * turned_y, turned_y) * self.radius


def _choose_pose(pencil: _Pencil) -> _Pose:
    radius = pencil.between(7.5, 12.5)
    room = np.maximum(np.float32(14.5) - radius, np.float32(2.5))
    cosine, sine = pencil.direction()
    return _Pose(
        across=pencil.between(-1, 1) * room,
        up=pencil.between(-1, 1) * room,
        radius=radius,
        cosine=cosine,
        sine=sine,
        stretch=pencil.between(0.82, 1.18),
        shear=pencil.between(-0.25, 0.25),
    )


def _choose_colours(pencil: _Pencil) -> tuple[Grid, Grid]:
    """Colours of shape and ground, (N, 1, 1, 3) each: one light and one dark, some close to each other."""
    is_dark = pencil.chance(0.5)[..., None]
    light = _mix(pencil.colour(), np.ones_like(is_dark), pencil.between(0.25, 0.65)[..., None])
    dark = _mix(pencil.colour(), np.zeros_like(is_dark), pencil.between(0.25, 0.65)[..., None])
    ink, ground = _mix(light, dark, is_dark), _mix(dark, light, is_dark)
    return _mix(ink, ground, pencil.between(0.0, 0.35)[..., None]), ground


def _mix(first: Grid, second: Grid, share: Grid) -> Grid:
    return first + (second - first) * share


def _toned(colour: Grid, pencil: _Pencil, most: float) -> Grid:
    """The colour, lighter or darker by up to `most`."""
    return _mix(colour, pencil.chance(0.5)[..., None], pencil.between(0, most)[..., None])


def _coverage(distance: Grid, softness: Grid) -> Grid:
    """How much of each pixel lies inside, (N, 32, 32), from 0 to 1."""
    coverage: Grid = np.clip(np.float32(0.5) - distance / softness, 0, 1)
    return coverage


def _cover(canvas: Grid, coverage: Grid, colour: Grid | np.float32, opacity: Grid | np.float32) -> None:
    canvas += (colour - canvas) * (coverage * opacity)[..., None]


def _paint(colour: Grid, pencil: _Pencil, texture: float) -> Grid:
    """(N, 32, 32, 3): the colour with a slow shade and, on most pictures, stripes or dots."""
    (cosine, sine), strength = pencil.direction(), pencil.between(-0.012, 0.012)
    shade = (_COLUMNS * cosine + _ROWS * sine) * strength
    stripes = _wave(pencil)
    dots = stripes * _wave(pencil)
    pattern = np.where(pencil.chance(0.5) > 0, stripes, dots)
    shade = shade + pattern * pencil.between(-texture, texture) * pencil.chance(0.7)
    painted: Grid = np.clip(colour * (np.float32(1) + shade[..., None]), 0, 1)
    return painted


def _wave(pencil: _Pencil) -> Grid:
    """(N, 32, 32): a triangular wave across the picture, from -1 to 1, 4 to 14 pixels long."""
    cosine, sine = pencil.direction()
    phase = (_COLUMNS * cosine + _ROWS * sine) / pencil.between(4, 14) + pencil.between(0, 1)
    wave: Grid = np.abs(phase - np.floor(phase) - np.float32(0.5)) * np.float32(4) - np.float32(1)
    return wave


def _add_clutter(canvas: Grid, pencil: _Pencil, size: Grid, opacity: Grid) -> None:
    """Lay a bar, a disc or a block of `size` pixels anywhere over what is painted already."""
    cosine, sine = pencil.direction()
    x, y = _COLUMNS - pencil.between(-15, 15), _ROWS - pencil.between(-15, 15)
    along, aside = np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)
    bar = np.maximum(along - pencil.between(6, 20), aside - size * np.float32(0.45))
    disc = np.sqrt(x * x + y * y) - size
    block = np.maximum(along, aside) - size
    kind = pencil.between(0, 3)
    distance = np.where(kind < 1, bar, np.where(kind < 2, disc, block))
    coverage = _coverage(distance, np.ones_like(size))
    _cover(canvas, coverage, _toned(pencil.colour(), pencil, 0.5), opacity)
