"""The contact sheet: the pictures of the preview in one PNG, to hang up or hand in."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from ui.augmentation.gallery import draw_pair
from ui.augmentation.preview import Shown

COLUMNS = 4
MARGIN, LINE = 28, 22
"""In pixels of the picture."""
PAPER, INK = "white", "black"


def contact_sheet(shown: Shown, names: list[str], title: str, outlines: bool) -> bytes:
    """Each image beside its augmented one, under the name of its class, as a PNG file."""
    font = ImageFont.load_default(15)
    pairs = [
        Image.fromarray(draw_pair(original, augmented, mask if outlines else None))
        for original, augmented, mask in zip(shown.originals, shown.images, shown.hidden, strict=True)
    ]
    width, height = pairs[0].size[0] + MARGIN, pairs[0].size[1] + LINE + MARGIN
    columns, rows = min(COLUMNS, len(pairs)), -(-len(pairs) // COLUMNS)
    sheet = Image.new("RGB", (columns * width + MARGIN, rows * height + LINE + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, INK, font)
    for index, (pair, name) in enumerate(zip(pairs, names, strict=True)):
        row, column = divmod(index, COLUMNS)
        left, top = MARGIN + column * width, 2 * MARGIN + LINE + row * height
        sheet.paste(pair, (left, top), pair)
        draw.text((left, top + pair.size[1] + 3), name, INK, font)
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
