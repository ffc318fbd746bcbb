"""What people's folders hold: each case has its sentence, or its right pixels, and leaves nothing half-written."""

import errno
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from zoo.cli import main
from zoo.errors import DataError
from zoo_bench.data.pictures import preparing as module
from zoo_bench.data.pictures.folder import Folder
from zoo_bench.data.pictures.images import Recipe, UnusableError, read_image
from zoo_bench.data.pictures.preparing import prepare

RED, BLUE = (255, 0, 0), (0, 0, 255)


def refused(folder, cache):
    with pytest.raises(DataError) as caught:
        prepare(Folder(folder), Recipe(8))
    assert "\n" not in str(caught.value)
    left = [path for path in cache.rglob("*") if path.is_file() or path.name.startswith(".preparing")]
    assert left == []
    return str(caught.value)


def reason(path):
    with pytest.raises(UnusableError) as caught:
        read_image(path, Recipe(8))
    return str(caught.value)


def left_out(folder, capsys):
    """Prepare a folder with unusable files and return its reasons by name, which must be printed too."""
    unusable = prepare(Folder(folder), Recipe(8)).about["unusable"]
    printed = capsys.readouterr().err
    assert printed.count("left out: ") == len(unusable)
    return unusable


def test_empty_folder(tmp_path, cache):
    folder = tmp_path / "empty"
    folder.mkdir()
    assert refused(folder, cache).endswith("has no pictures that Pillow reads")


def test_absent_folder_and_file_instead_of_folder(tmp_path, cache):
    assert "is absent" in refused(tmp_path / "nowhere", cache)
    (tmp_path / "file").touch()
    assert "is not a folder" in refused(tmp_path / "file", cache)


def test_no_permission_for_the_folder(pictures, cache, monkeypatch):
    def deny(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", deny)
    assert refused(pictures, cache).endswith("cannot be read: Permission denied")


def test_no_permission_for_one_file_and_one_sub_folder(pictures, draw, capsys, monkeypatch):
    draw(pictures / "closed", 1)
    real_scan, real_open = os.scandir, Image.open

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_scan(path)

    def open_image(path, **options):
        if path.name == "0-0007.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(path, **options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Image, "open", open_image)
    assert left_out(pictures, capsys) == {"closed": "Permission denied", "0-0007.png": "Permission denied"}


def test_one_image(tmp_path, draw, cache):
    draw(tmp_path / "one", 1)
    assert "has 1 different usable images among 1, but at least 100 are needed" in refused(tmp_path / "one", cache)


def test_a_hundred_copies_of_one_image_are_one_image(tmp_path, draw, cache):
    draw(tmp_path / "one", 1)
    content = (tmp_path / "one" / "0-0000.png").read_bytes()
    for i in range(100):
        (tmp_path / "one" / f"copy-{i}.png").write_bytes(content)
    assert "has 1 different usable images among 101" in refused(tmp_path / "one", cache)


def test_zero_bytes_text_and_truncation_are_left_out_with_their_reasons(pictures, capsys):
    (pictures / "empty.png").touch()
    (pictures / "text.png").write_text("not an image")
    Image.effect_noise((64, 64), 50).save(pictures / "cut.jpg")
    (pictures / "cut.jpg").write_bytes((pictures / "cut.jpg").read_bytes()[:-400])
    found = left_out(pictures, capsys)
    assert found.pop("cut.jpg").startswith("image file is truncated")
    assert found == {"empty.png": "the file is empty", "text.png": "not a picture that Pillow reads"}


def test_a_file_that_is_broken_later_is_told_although_the_content_is_the_same(pictures, capsys):
    before = prepare(Folder(pictures), Recipe(8)).content
    capsys.readouterr()
    (pictures / "new.png").touch()
    assert left_out(pictures, capsys) == {"new.png": "the file is empty"}
    assert prepare(Folder(pictures), Recipe(8)).content == before


def test_too_few_usable_images_come_with_the_first_reasons(tmp_path, cache):
    for i in range(5):
        (tmp_path / f"{i}.png").touch()
    assert "0.png: the file is empty; 1.png" in refused(tmp_path, cache)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [12_000, 60_000])
def test_decompression_bomb(tmp_path, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert "more than 100,000,000 pixels" in reason(tmp_path / "bomb.png")


def test_cmyk(tmp_path):
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", Recipe(8))[:, 4, 4].tolist() == [255, 0, 0]


def test_palette_with_alpha_lies_on_white(tmp_path):
    image = Image.new("P", (16, 16), 0)
    image.putpalette([*RED, *BLUE])
    image.paste(1, (0, 0, 8, 16))
    image.save(tmp_path / "a.png", transparency=0)
    pixels = read_image(tmp_path / "a.png", Recipe(16))
    assert pixels[:, 8, 2].tolist() == list(BLUE)
    assert pixels[:, 8, 13].tolist() == [255, 255, 255]


def test_sixteen_bits_keep_their_range(tmp_path):
    levels = np.linspace(0, 65535, 16, dtype=np.uint16)
    Image.fromarray(np.tile(levels, (16, 1))).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", Recipe(16, grey=True))[0, 3].tolist() == (levels // 257).tolist()


def test_one_bit(tmp_path):
    image = Image.new("1", (16, 16), 0)
    image.paste(1, (0, 0, 8, 16))
    image.save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png", Recipe(16))
    assert (pixels[:, 8, 2].tolist(), pixels[:, 8, 13].tolist()) == ([255] * 3, [0] * 3)


def test_exif_rotation(tmp_path):
    image = Image.new("RGB", (64, 32), BLUE)
    image.paste(RED, (16, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    pixels = read_image(tmp_path / "a.jpg", Recipe(32)).astype(int)
    assert pixels[0, 4, 16] > 200, "what was left in the middle is now above"
    assert pixels[2, 28, 16] > 200


def test_animated_gif_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif", Recipe(8))[:, 4, 4].tolist() == list(RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 5), (640, 20), (33, 32)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "gif"])
def test_mixed_sizes_and_formats(tmp_path, draw, size, suffix):
    draw(tmp_path, 1, size=size, suffix=suffix)
    pixels = read_image(tmp_path / f"0-0000.{suffix}", Recipe(32))
    assert (pixels.shape, pixels.dtype) == ((3, 32, 32), np.uint8)


def test_the_centre_is_kept_and_fine_patterns_are_averaged(tmp_path):
    pixels = np.zeros((64, 192), np.uint8)
    pixels[:, 64:128:2] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    inner = read_image(tmp_path / "a.png", Recipe(16, grey=True))[0, :, 2:-2].astype(int)
    assert np.abs(inner - 100).max() <= 3


@pytest.mark.parametrize("name", [b"line\nbreak.png", b"latin-\xe9.png", b"percent%41.png"])
def test_odd_names(pictures, capsys, name):
    path = os.fsencode(pictures) + b"/" + name
    with open(path, "wb") as file:
        file.write(b"broken")
    assert list(left_out(pictures, capsys)) == [os.fsdecode(name)]


def test_odd_names_are_printed_on_one_line(pictures, capsys):
    (pictures / "line\nbreak.png").touch()
    prepare(Folder(pictures), Recipe(8))
    assert "left out: line\\nbreak.png: the file is empty" in capsys.readouterr().err.splitlines()


def test_links_that_loop_or_lead_nowhere(pictures, capsys):
    (pictures / "again").symlink_to(pictures)
    (pictures / "self.png").symlink_to("self.png")
    (pictures / "gone.png").symlink_to("nothing.png")
    found = left_out(pictures, capsys)
    assert found == {"self.png": "Too many levels of symbolic links", "gone.png": "No such file or directory"}
    assert len(prepare(Folder(pictures), Recipe(8)).images) == 120


@pytest.mark.parametrize("change", ["add", "remove", "replace"])
def test_folder_that_changes_while_it_is_read(pictures, cache, monkeypatch, change):
    real = module.read_image

    def read(path, recipe, faults):
        if path.name == "0-0050.png":
            if change == "add":
                (pictures / "new.png").touch()
            elif change == "remove":
                (pictures / "0-0051.png").unlink(missing_ok=True)
            else:
                (pictures / "0-0001.png").write_bytes(b"other")
        return real(path, recipe, faults)

    monkeypatch.setattr(module, "read_image", read)
    assert "changed while it was read" in refused(pictures, cache)


@pytest.mark.parametrize("when", ["mkdtemp", "fsync", "rename"])
def test_disk_full_while_caching(pictures, cache, monkeypatch, when):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    owner, name = {
        "mkdtemp": (module.tempfile, "mkdtemp"), "fsync": (os, "fsync"), "rename": (module.Path, "rename"),
    }[when]  # fmt: skip
    monkeypatch.setattr(owner, name, full)
    sentence = refused(pictures, cache)
    assert "No space left on device" in sentence
    assert "ZOO_CACHE" in sentence


def test_a_full_disk_is_noticed_by_writing_never_by_a_mapping(pictures, cache, monkeypatch):
    """``/dev/full`` refuses every write, as a full disk does."""
    real = module.Path.open

    def opened(path, mode="r", *rest, **options):
        return open("/dev/full", "wb") if path.name == "images.npy" else real(path, mode, *rest, **options)

    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is Linux's")
    monkeypatch.setattr(module.Path, "open", opened)
    assert "No space left on device" in refused(pictures, cache)


def test_interruption_leaves_nothing(pictures, cache, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write_rows", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(Folder(pictures), Recipe(8))
    assert [path for path in cache.rglob("*") if path.name != "folders"] == []


def test_the_command_line_says_it_in_one_sentence_with_exit_code_2(tmp_path, capsys):
    assert main(["bench", "--task", f"folder:{tmp_path / 'none'}", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"zoo: '{tmp_path / 'none'}' is absent: name a folder of images\n"
    assert not (tmp_path / "out").exists()
