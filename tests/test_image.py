"""`core.image` reads pictures as they look, and refuses what could do harm before decoding it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core.errors import ImageError
from core.image import fit_square, read_image

RED, GREEN, BLUE = (200, 10, 20), (20, 180, 30), (30, 40, 220)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """`image` as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def stripes(width: int = 48, height: int = 32) -> Image.Image:
    """Red left, green in the middle, blue right: it shows turns and mirrors."""
    image = Image.new("RGB", (width, height), GREEN)
    image.paste(RED, (0, 0, width // 3, height))
    image.paste(BLUE, (width - width // 3, 0, width, height))
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "kind,options", [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95})]
)
def test_the_pixels_are_those_of_the_picture(kind: str, options: dict[str, object]) -> None:
    image = read_image(encode(stripes(), kind, **options))
    assert image.shape == (32, 48, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - np.asarray(stripes()).astype(int)).mean() < (
        4 if kind == "JPEG" else 1e-9
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_upright(orientation: int) -> None:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    scene = stripes()
    scene.paste((0, 0, 0), (0, 0, 8, 8))
    stored = scene.transpose(turn[orientation]) if orientation in turn else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read_image(encode(stored, exif=exif)), np.asarray(scene))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        stored = Image.fromarray(np.full((16, 16), 153 * 257, dtype=np.uint16))
    else:
        stored = Image.new("RGB", (16, 16), (153, 153, 153)).convert(mode)
    image = read_image(encode(stored))
    assert image.shape == (16, 16, 3)
    if mode != "1":
        assert np.abs(image.astype(int) - 153).max() <= 1


def test_a_cmyk_photograph_keeps_its_colour() -> None:
    image = read_image(encode(Image.new("RGB", (32, 32), RED).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(image.mean(axis=(0, 1)) - RED).max() < 6


def test_transparency_lies_on_white() -> None:
    image = read_image(encode(Image.new("RGBA", (16, 16), (0, 0, 0, 0))))
    assert image.min() == 255


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    image = read_image(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert image[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_is_kept_at_1024_pixels(kind: str) -> None:
    image = read_image(encode(stripes(4000, 2000), kind))
    assert image.shape == (512, 1024, 3)
    assert np.abs(image[256, 512].astype(int) - GREEN).max() < 6


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PPM", "EPS", "PDF"])
def test_other_formats_are_refused_whatever_their_name(kind: str) -> None:
    with pytest.raises(ImageError, match="not a PNG, JPEG or WebP"):
        read_image(encode(stripes(), kind))


@pytest.mark.parametrize(
    "content", [b"", b"notes of a course\n" * 20, b"<svg/>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"]
)
def test_a_file_that_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"not a PNG|damaged"):
        read_image(content)


@pytest.mark.parametrize(
    "width,height", [(5000, 5000), (12_000, 9000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_bomb_is_refused_by_its_size_before_it_is_decoded(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="24,000,000"):
        read_image(png_header(width, height))


@pytest.mark.parametrize("width,height", [(1, 1), (7, 100), (100, 7), (60_000, 8), (8001, 8)])
def test_sides_outside_the_limits_are_refused(width: int, height: int) -> None:
    with pytest.raises(ImageError, match=rf"8 to 8000 pixels, this picture has {width} × {height}"):
        read_image(png_header(width, height))


def test_a_text_bomb_in_a_png_is_refused() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    picture = encode(stripes())
    bomb = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"\0" * 100_000_000, 9))
    with pytest.raises(ImageError):
        read_image(picture[:33] + bomb + picture[33:])


def test_more_than_10_megabytes_are_refused_unread() -> None:
    with pytest.raises(ImageError, match=r"10.0 MB, at most 10"):
        read_image(b"\0" * 10_000_001)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns of damaged EXIF and goes on
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_picture_is_read_or_refused_never_worse(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(Image.fromarray(noise), kind, exif=exif)
    generator = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        mutant = bytearray(content[: generator.integers(1, len(content) + 1)])
        for position in generator.integers(0, len(mutant), generator.integers(0, 8)):
            mutant[position] = generator.integers(0, 256)
        try:
            image = read_image(bytes(mutant))
        except ImageError:
            refused += 1
        else:
            assert image.dtype == np.uint8
            assert image.shape[2] == 3
    assert refused > 100


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.95])
def test_a_truncated_picture_is_refused(cut: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for kind in ("PNG", "JPEG", "WEBP"):
        content = encode(Image.fromarray(noise), kind)
        with pytest.raises(ImageError, match=r"damaged or cut off|not a PNG"):
            read_image(content[: int(len(content) * cut)])


def test_fitting_takes_the_central_square() -> None:
    fitted = fit_square(np.asarray(stripes(96, 32)))
    assert fitted.shape == (32, 32, 3)
    assert (fitted == GREEN).all()


def test_fitting_resizes_without_shifting_colours() -> None:
    fitted = fit_square(np.full((200, 100, 3), 77, dtype=np.uint8))
    assert fitted.shape == (32, 32, 3)
    assert (fitted == 77).all()


def test_a_picture_of_the_right_size_passes_untouched() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(fit_square(read_image(encode(Image.fromarray(image)))), image)


def test_fitting_puts_no_halo_around_an_edge() -> None:
    image = np.full((320, 320, 3), 60, dtype=np.uint8)
    image[:, 155:] = 180
    fitted = fit_square(image)
    assert fitted.min() == 60
    assert fitted.max() == 180
