"""Image files of every format, with ranges of their own, or with damage beside their pixels."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from zoo_bench.data.pictures.images import Recipe, UnusableError, read_image, suffixes

PASSED_OVER = ["text or a colour profile is damaged or too long, and was passed over"]
NOT_TURNED = ["EXIF data are damaged, so it was not turned"]
LONG = b"x" * 5_000_000


@pytest.fixture(scope="module")
def picture():
    coarse = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(picture, *chunks, after=False):
    info = PngImagePlugin.PngInfo()
    for chunk in chunks:
        info.add(*chunk, after_idat=after)
    return saved(picture, "PNG", pnginfo=info)


def check(content, picture, expected, tolerance=0):
    faults = []
    pixels = read_image(content, Recipe(8), faults).astype(int)
    reference = np.asarray(picture.resize((8, 8), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.abs(pixels - reference).max() <= tolerance
    assert faults == expected


@pytest.mark.parametrize("suffix", [".bmp", ".jfif", ".jp2", ".mpo", ".pcx", ".ppm", ".sgi", ".tga", ".tiff", ".webp"])
def test_formats_that_pillow_writes_are_read(picture, tmp_path, suffix):
    lossless = {"lossless": True} if suffix == ".webp" else {}
    picture.save(tmp_path / f"a{suffix}", **lossless)
    check(tmp_path / f"a{suffix}", picture, [], tolerance=12 if suffix in (".jfif", ".mpo") else 1)
    assert suffix in suffixes()


def test_avif_is_read_where_pillow_can(picture):
    if ".avif" not in suffixes():
        pytest.skip("this version of Pillow reads no AVIF")
    check(saved(picture, "AVIF", quality=95), picture, [], tolerance=12)


@pytest.mark.parametrize("suffix", [".eps", ".pdf", ".mpg", ".h5", ".heic", ".txt", ""])
def test_what_pillow_does_not_decode_is_no_picture(suffix):
    assert suffix not in suffixes()


@pytest.mark.parametrize("text", [b"\n", b"{}\n", b"a,b\n1,2\n" * 100, b"<html>\n</html>", bytes(512)])
def test_text_is_no_picture(text):
    with pytest.raises(UnusableError, match="not a picture that Pillow reads"):
        read_image(text, Recipe(8))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_damaged_exif_leaves_the_picture_as_it_lies(picture, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    check(saved(picture, kind, exif=b"Exif\0\0junk", **options), picture, NOT_TURNED)


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize(
    "chunk", [(b"zTXt", b"k\0\0" + zlib.compress(LONG)), (b"iTXt", b"k\0\1\0\0\0" + zlib.compress(LONG))]
)
def test_long_texts_are_passed_over(picture, chunk, after):
    check(png(picture, chunk, after=after), picture, PASSED_OVER)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_large_colour_profiles_are_passed_over(picture, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(picture, kind, icc_profile=bytes(3_000_000), **options)
    check(content, picture, PASSED_OVER if kind == "PNG" else [])


def test_text_with_a_wrong_checksum_is_passed_over_and_pixels_with_one_are_not(picture):
    content = png(picture, (b"tEXt", b"key\0value"))
    check(content.replace(b"key\0value", b"key\0valve"), picture, PASSED_OVER)
    with pytest.raises(UnusableError):
        read_image(content.replace(b"key\0value", b"key\0valve").replace(b"IHDR", b"IHDX"), Recipe(8))


def test_a_turned_picture_without_text_is_still_turned(picture):
    exif = Image.Exif()
    exif[0x0112] = 3
    info = PngImagePlugin.PngInfo()
    info.add_text("key", "x" * 5_000_000, zip=True)
    content = saved(picture, "PNG", exif=exif, pnginfo=info)
    check(content, picture.transpose(Image.Transpose.ROTATE_180), PASSED_OVER)


GREYS = np.tile(np.arange(0, 256, 17, dtype=np.uint8), (16, 1))


@pytest.mark.parametrize(
    ("stored", "levels"),
    [
        (GREYS.astype(np.uint16) * 257, None),
        (GREYS.astype(np.uint16) * 257, (0, 65535)),
        ((GREYS / 255 * 16383).round().astype(np.uint16), (0, 16383)),
        ((GREYS / 255 * 4095).round().astype(np.uint16), (0, 4095)),
        ((GREYS / 255 * 1023).round().astype(np.uint16), (0, 1023)),
        ((GREYS / 255).astype(np.float32), (0, 1)),
        ((GREYS / 255 * 2 - 1).astype(np.float32), (-1, 1)),
        (GREYS.astype(np.int32) * 10 - 1000, (-1000, 1550)),
    ],
)
def test_ranges_become_black_and_white(stored, levels):
    faults = []
    pixels = read_image(saved(Image.fromarray(stored), "TIFF"), Recipe(16, grey=True, levels=levels), faults)
    assert np.array_equal(pixels[0], GREYS)
    assert faults == []


def test_values_outside_of_the_range_are_clipped_and_said():
    content = saved(Image.fromarray(GREYS.astype(np.int32) * 10 - 1000), "TIFF")
    faults = []
    pixels = read_image(content, Recipe(16, grey=True, levels=(-490, 530)), faults)
    assert np.array_equal(pixels[0], ((GREYS.clip(51, 153) - 51.0) * 2.5).round())
    assert faults == ["values outside of -490 to 530 were clipped"]


@pytest.mark.parametrize(
    ("value", "levels", "reason"),
    [
        (np.float32(0.5), None, "floating-point pixels have no known range: a task reads them with range=LOW:HIGH"),
        (np.int32(-1), None, "32-bit pixels have no known range: a task reads them with range=LOW:HIGH"),
        (np.float32("nan"), (0, 1), "pixels are NaN or infinite"),
    ],
)
def test_values_without_a_range_are_left_out(value, levels, reason):
    content = saved(Image.fromarray(np.full((9, 9), value)), "TIFF")
    with pytest.raises(UnusableError, match=f"^{reason}$"):
        read_image(content, Recipe(8, levels=levels))


def test_eight_bits_have_a_range_of_their_own(picture):
    narrow = Recipe(8, levels=(0, 10))
    content = saved(picture, "PNG")
    assert np.array_equal(read_image(content, narrow), read_image(content, Recipe(8)))
