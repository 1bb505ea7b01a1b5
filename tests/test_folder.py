"""Folders and archives of pictures: what is read, and what is refused with which words."""

import gzip
import lzma
import shutil
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import load, register_folder
from core.data.folder import load_folder
from core.errors import DataError
from tests.pictures import pictures

KINDS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz")
TAR_MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz"}


@pytest.fixture
def flowers(tmp_path) -> Path:
    """Two classes of PNG and JPEG pictures: 3 + 2 to train, 1 + 1 to test."""
    folder = tmp_path / "flowers"
    names = [
        "train/rose/a.png",
        "train/rose/b.jpg",
        "train/rose/c.JPEG",
        "train/tulip/a.png",
        "train/tulip/b.png",
    ]
    for image, name in zip(pictures(7), [*names, "test/rose/a.png", "test/tulip/a.jpg"], strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    return folder


def pack(folder: Path, kind: str, top: str = "") -> Path:
    """The folder's content in an archive beside it, within a folder called `top` if given."""
    archive = folder.with_name(f"{folder.name}{kind}")
    if kind == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in sorted(folder.rglob("*"), reverse=True):
                file.write(path, Path(top) / path.relative_to(folder))
    else:
        with tarfile.open(archive, TAR_MODES[kind], format=tarfile.USTAR_FORMAT) as file:
            for path in sorted(folder.iterdir(), reverse=True):
                file.add(path, Path(top) / path.name)
    return archive


def refusal(path: Path, root: Path) -> str:
    """The words with which the dataset is refused; nothing of it may be left in the cache."""
    with pytest.raises(DataError) as caught:
        load_folder(path, root, "flowers")
    assert [entry.name for entry in (root / "cache").glob("*") if entry.suffix != ".lock"] == []
    return str(caught.value)


def test_pictures_are_read_as_pillow_reads_them(flowers, tmp_path) -> None:
    dataset = load_folder(flowers, tmp_path / "data", "flowers")
    assert dataset.classes == ("rose", "tulip")
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1]
    assert dataset.test.labels.tolist() == [0, 1]
    for split, part in ((dataset.train, "train"), (dataset.test, "test")):
        files = sorted(path for path in (flowers / part).rglob("*") if path.is_file())
        expected = np.stack(
            [np.asarray(Image.open(BytesIO(path.read_bytes())).convert("RGB")) for path in files]
        )
        np.testing.assert_array_equal(split.images, expected)


def test_arrays_are_mapped_and_read_only(flowers, tmp_path) -> None:
    dataset = load_folder(flowers, tmp_path / "data", "flowers")
    assert isinstance(dataset.train.images, np.memmap)
    assert not dataset.train.images.flags.writeable
    assert not dataset.train.labels.flags.writeable
    assert dataset.title == "flowers (folder)"
    assert not dataset.is_stand_in


@pytest.mark.parametrize("top", ["", "flowers", "./flowers"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_gives_the_same_dataset_as_its_folder(flowers, tmp_path, kind, top) -> None:
    from_folder = load_folder(flowers, tmp_path / "data", "flowers")
    from_archive = load_folder(pack(flowers, kind, top), tmp_path / "data", "flowers")
    assert from_archive.fingerprint == from_folder.fingerprint


def test_a_folder_around_it_is_looked_into(flowers, tmp_path) -> None:
    (tmp_path / "outer").mkdir()
    shutil.copytree(flowers, tmp_path / "outer" / "flowers")
    inner = load_folder(flowers, tmp_path / "data", "flowers")
    assert load_folder(tmp_path / "outer", tmp_path / "data", "flowers").fingerprint == inner.fingerprint


def test_other_sizes_are_cropped_to_the_central_square_and_resized(flowers, tmp_path) -> None:
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = (10, 200, 90)  # the central square is of one colour, and so stays
    Image.fromarray(wide).save(flowers / "train/rose/a.png")
    dataset = load_folder(flowers, tmp_path / "data", "flowers")
    assert np.unique(dataset.train.images[0].reshape(-1, 3), axis=0).tolist() == [[10, 200, 90]]


def test_progress_is_told_to_the_end(flowers, tmp_path) -> None:
    told: list[tuple[int, int | None]] = []
    load_folder(flowers, tmp_path / "data", "flowers", lambda done, total: told.append((done, total)))
    assert told[-1] == (7, 7)


def test_what_is_no_picture_is_left_out(flowers, tmp_path) -> None:
    plain = load_folder(flowers, tmp_path / "data", "flowers").fingerprint
    (flowers / "train/rose/Thumbs.db").write_bytes(b"x")
    (flowers / "train/rose/.hidden.png").write_bytes(b"x")
    (flowers / "train/rose/deeper").mkdir()
    (flowers / "train/rose/deeper/a.png").write_bytes(b"x")
    (flowers / "__MACOSX/train").mkdir(parents=True)
    (flowers / "readme.png").write_bytes(b"x")
    assert load_folder(flowers, tmp_path / "data", "flowers").fingerprint == plain
    assert load_folder(pack(flowers, ".tar"), tmp_path / "data", "flowers").fingerprint == plain


def test_a_change_is_noticed_and_the_older_copy_removed(flowers, tmp_path) -> None:
    before = load_folder(flowers, tmp_path / "data", "flowers")
    Image.fromarray(pictures(1, seed=9)[0]).save(flowers / "test/tulip/b.png")
    after = load_folder(flowers, tmp_path / "data", "flowers")
    assert (len(before.test), len(after.test)) == (2, 3)
    assert after.fingerprint != before.fingerprint
    assert len([entry for entry in (tmp_path / "data/cache").iterdir() if entry.is_dir()]) == 1


def test_the_second_time_nothing_is_decoded(flowers, tmp_path, monkeypatch) -> None:
    archive = pack(flowers, ".tar.xz")
    first = load_folder(archive, tmp_path / "data", "flowers")
    monkeypatch.setattr("core.data.folder.read_image", None)
    assert load_folder(archive, tmp_path / "data", "flowers").fingerprint == first.fingerprint


def test_nothing_leaves_the_archive_for_the_disk(flowers, tmp_path) -> None:
    archive = tmp_path / "evil.tar"
    picture = (flowers / "train/rose/a.png").read_bytes()
    with tarfile.open(archive, "w") as file:
        file.add(flowers, "flowers")
        for name in ("../train/rose/up.png", "flowers/../../train/rose/up.png", "/train/rose/root.png"):
            info = tarfile.TarInfo(name)
            info.size = len(picture)
            file.addfile(info, BytesIO(picture))
        link = tarfile.TarInfo("flowers/train/rose/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    before = set(tmp_path.rglob("*"))
    dataset = load_folder(archive, tmp_path / "data", "flowers")
    assert len(dataset.train) == 5
    made = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert {path.suffix for path in made} == {".npy", ".json", ".lock"}


def test_a_missing_path(tmp_path) -> None:
    assert "nowhere is not there; check the path" in refusal(tmp_path / "nowhere", tmp_path / "data")


def test_a_file_that_is_no_archive(flowers, tmp_path) -> None:
    text = refusal(flowers / "train/rose/a.png", tmp_path / "data")
    assert "a.png must be a folder or one of .zip, .tar" in text


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_missing_part(flowers, tmp_path, part) -> None:
    shutil.rmtree(flowers / part)
    text = refusal(flowers, tmp_path / "data")
    assert f"there is no class in {part}/; lay the pictures out as train/<class>/*.png|jpg" in text


def test_two_datasets_in_one(flowers, tmp_path) -> None:
    shutil.copytree(flowers, tmp_path / "both/one")
    shutil.copytree(flowers, tmp_path / "both/two")
    assert "folders in one and two; keep" in refusal(tmp_path / "both", tmp_path / "data")


def test_one_class(flowers, tmp_path) -> None:
    shutil.rmtree(flowers / "train/rose")
    shutil.rmtree(flowers / "test/rose")
    assert "there is one class, tulip, but two or more are needed" in refusal(flowers, tmp_path / "data")


@pytest.mark.parametrize("part, other", [("train", "test"), ("test", "train")])
def test_classes_that_differ(flowers, tmp_path, part, other) -> None:
    (flowers / part / "rose").rename(flowers / part / "Rose")
    text = refusal(flowers, tmp_path / "data")
    assert "class Rose is in train/ but not in test/" in text or "class rose is in train/ but not" in text
    (flowers / part / "Rose").rename(flowers / part / "rose")
    (flowers / other / "lily").mkdir()
    assert f"class lily is in {other}/ but not in {part}/" in refusal(flowers, tmp_path / "data")


@pytest.mark.parametrize("kind", ["", ".zip", ".tar"])
def test_an_empty_class(flowers, tmp_path, kind) -> None:
    for file in (flowers / "test/tulip").iterdir():
        file.rename(file.with_suffix(".gif"))
    path = pack(flowers, kind) if kind else flowers
    assert "test/tulip holds no PNG or JPEG picture; put some in" in refusal(path, tmp_path / "data")


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_a_truncated_picture(flowers, tmp_path, kind) -> None:
    picture = flowers / "train/rose/b.jpg"
    picture.write_bytes(picture.read_bytes()[:-200])
    path = pack(flowers, kind) if kind else flowers
    text = refusal(path, tmp_path / "data")
    assert f"{path}: train/rose/b.jpg" in text
    assert "damaged or cut off" in text


def test_a_text_file_named_png(flowers, tmp_path) -> None:
    (flowers / "test/rose/a.png").write_text("This is not a picture.")
    text = refusal(flowers, tmp_path / "data")
    assert "test/rose/a.png" in text
    assert "not a PNG" in text


def test_a_huge_picture(flowers, tmp_path) -> None:
    Image.new("1", (7_000, 7_000)).save(flowers / "test/rose/a.png")
    assert "test/rose/a.png: The picture has 7000 × 7000 pixels" in refusal(flowers, tmp_path / "data")


@pytest.mark.parametrize("kind", ["", ".zip", ".tar.gz"])
def test_a_huge_file(flowers, tmp_path, kind) -> None:
    (flowers / "test/rose/a.png").write_bytes(bytes(10_000_001))
    path = pack(flowers, kind) if kind else flowers
    assert "test/rose/a.png has 10.0 MB, at most 10 are read" in refusal(path, tmp_path / "data")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_cut_off_anywhere(flowers, tmp_path, kind) -> None:
    archive = pack(flowers, kind)
    whole = archive.read_bytes()
    filled = len(whole.rstrip(b"\0"))
    for length in (0, 1, 300, filled // 3, filled // 2, filled - 700, filled - 1):
        archive.write_bytes(whole[:length])
        text = refusal(archive, tmp_path / "data")
        assert archive.name in text
        assert "copy or pack it again" in text


@pytest.mark.parametrize(
    "kind, compress", [(".tar", bytes), (".tar.gz", gzip.compress), (".tar.xz", lzma.compress)]
)
def test_a_tar_with_a_hole_is_not_taken_for_a_shorter_one(flowers, tmp_path, kind, compress) -> None:
    holed = bytearray(pack(flowers, ".tar").read_bytes())
    header = holed.index(b"train/tulip/b.png")
    holed[header : header + 512] = bytes(512)  # which marks a tar's end
    archive = tmp_path / f"holed{kind}"
    archive.write_bytes(compress(holed))
    assert "a tar ends differently" in refusal(archive, tmp_path / "data")


@pytest.mark.parametrize("kind", KINDS)
def test_something_else_under_an_archives_name(flowers, tmp_path, kind) -> None:
    archive = tmp_path / f"flowers{kind}"
    archive.write_bytes(b"<html>404 not found</html>" * 40)
    assert "is damaged or cut off" in refusal(archive, tmp_path / "data")


@pytest.mark.slow
def test_the_real_images_are_as_published(real_images, tmp_path) -> None:
    if real_images is None:
        pytest.skip("the archive of real CIFAR-10 images is not beside the project")
    name = register_folder(real_images, tmp_path)
    dataset = load(name, tmp_path)
    assert np.bincount(dataset.train.labels).tolist() == [5_000] * 10
    assert np.bincount(dataset.test.labels).tolist() == [1_000] * 10
    assert [round(value, 4) for value in dataset.mean] == [0.4913, 0.4821, 0.4465]
    assert [round(value, 4) for value in dataset.std] == [0.2452, 0.2428, 0.2606]
    with tarfile.open(real_images) as file:
        first = file.extractfile("train/airplane/0000.jpg")
        assert first is not None
        np.testing.assert_array_equal(dataset.train.images[0], np.asarray(Image.open(first)))
