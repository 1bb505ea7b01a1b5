"""What one unit of a layer sees of the input: which stretch of it, and which pixels in there, exactly.

The recurrence is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
Networks" (Distill, 2019), on intervals: a window widens the first unit's field by `(kernel_size - 1) *
dilation` steps of the stride so far, and where two ways join, their fields are united.

The pixels are bits: one way through a network reaches a product of rows and columns, two integers whose bit i
stands for the field's i-th row or column. Ways that join reach the union of their products.
"""

Product = tuple[int, int]
Reach = tuple[Product, ...]

Field = tuple[int, int, int, int, Reach]
"""What a layer's first unit sees, in input pixels: (start, height, width, jump, reach).

`start` is where it starts, on both axes: 0, or less in the padding. The units beside it see the same, moved
on by `jump`, the effective stride.
"""

PIXEL: Field = (0, 1, 1, 1, ((1, 1),))
"""What a pixel of the input sees: itself."""


def slide(field: Field, kernel: int, stride: int, padding: int, dilation: int) -> Field:
    """The field of a square window over units that have `field`."""
    start, height, width, jump, reach = field
    if kernel > 1:
        step = dilation * jump
        growth = (kernel - 1) * step
        height += growth
        width += growth
        reach = _widen(reach, step, kernel, kernel)
    return start - padding * jump, height, width, jump * stride, reach


def gather(field: Field, rows: int, columns: int) -> Field:
    """The field of one unit over a whole map of `rows` by `columns` units; it keeps their stride."""
    start, height, width, jump, reach = field
    reach = _widen(reach, jump, rows, columns)
    return start, height + (rows - 1) * jump, width + (columns - 1) * jump, jump, reach


def unite(first: Field, second: Field) -> Field:
    """The field of the sum of two maps of the same effective stride."""
    start = min(first[0], second[0])
    height = width = 0
    products: set[Product] = set()
    for own_start, own_height, own_width, _, reach in (first, second):
        moved = own_start - start
        height = max(height, moved + own_height)
        width = max(width, moved + own_width)
        products |= {(rows << moved, columns << moved) for rows, columns in reach}
    return start, height, width, first[3], _drop_inner(products)


def coverage(field: Field) -> float:
    """The fraction of the field's pixels that any way reaches."""
    _, height, width, _, reach = field
    return (_area(reach[0]) if len(reach) == 1 else _count_union(reach)) / (height * width)


def _widen(reach: Reach, step: int, rows: int, columns: int) -> Reach:
    """The reach of a window of `rows` by `columns` taps, each `step` pixels from the next."""
    if len(reach) == 1 and rows == columns and reach[0][0] == reach[0][1]:
        wide = spread(reach[0][0], rows, step)
        return ((wide, wide),)
    return tuple([(spread(r, rows, step), spread(c, columns, step)) for r, c in reach])


def spread(mask: int, taps: int, step: int) -> int:
    """The union of `taps` copies of the mask, each moved on by `step`: doubled as often as that goes."""
    done = 1
    while done * 2 <= taps:
        mask |= mask << (done * step)
        done *= 2
    return mask | mask << ((taps - done) * step)


def _drop_inner(products: set[Product]) -> Reach:
    """The products without those that lie within another."""
    kept: list[Product] = []
    for rows, columns in sorted(products, key=_area, reverse=True):
        if not any(rows & ~outer[0] == 0 and columns & ~outer[1] == 0 for outer in kept):
            kept.append((rows, columns))
    return tuple(kept)


def _count_union(reach: Reach) -> int:
    """The pixels in any of the products, counted band by band of rows that reach the same columns."""
    all_rows = 0
    for rows, _ in reach:
        all_rows |= rows
    bands = [(all_rows, 0)]
    for rows, columns in reach:
        split = [half for r, c in bands for half in ((r & rows, c | columns), (r & ~rows, c))]
        bands = [band for band in split if band[0]]
    return sum(_area(band) for band in bands)


def _area(product: Product) -> int:
    return product[0].bit_count() * product[1].bit_count()
