"""Which datasets there are, what they are called, and which comes first."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from core.data import available, default_name, load, register_folder
from core.errors import DataError
from tests.pictures import pictures


def make_folder(folder: Path, classes: tuple[str, ...] = ("cat", "dog"), seed: int = 0) -> Path:
    """One picture of each class and part."""
    for index, image in enumerate(pictures(2 * len(classes), seed)):
        place = folder / ("train", "test")[index % 2] / classes[index // 2]
        place.mkdir(parents=True)
        Image.fromarray(image).save(place / "a.png")
    return folder


def names(root: Path) -> list[str]:
    return [source.name for source in available(root)]


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "data"


def test_with_nothing_there_the_stand_in_is_used(root) -> None:
    official, stand_in = available(root)
    assert (official.name, official.is_ready) == ("cifar10", False)
    assert (stand_in.name, stand_in.is_ready, stand_in.is_stand_in) == ("shapes", True, True)
    assert default_name(root) == "shapes"
    assert not root.exists()


def test_a_registered_folder_can_be_loaded_by_its_name(root, tmp_path) -> None:
    folder = make_folder(tmp_path / "My pets")
    name = register_folder(folder, root)
    assert name == "My-pets"
    assert default_name(root) == name
    dataset = load(name, root)
    assert dataset.classes == ("cat", "dog")
    source = available(root)[1]
    assert (source.name, source.title, source.path) == (name, dataset.title, folder)
    assert not dataset.is_stand_in


def test_an_archive_is_called_by_its_stem(root, tmp_path) -> None:
    folder = make_folder(tmp_path / "pets")
    archive = shutil.make_archive(str(tmp_path / "pets.v2"), "xztar", folder)
    assert register_folder(Path(archive), root) == "pets.v2"


def test_names_are_made_unique(root, tmp_path) -> None:
    places = [make_folder(tmp_path / str(seed) / "pets", seed=seed) for seed in range(3)]
    assert [register_folder(place, root) for place in places] == ["pets", "pets-2", "pets-3"]
    assert register_folder(make_folder(tmp_path / "shapes"), root) == "shapes-2"
    prints = {load(name, root).fingerprint for name in ("pets", "pets-2", "pets-3")}
    assert len(prints) == 3


def test_registering_again_changes_nothing(root, tmp_path) -> None:
    folder = make_folder(tmp_path / "pets")
    assert register_folder(folder, root) == register_folder(folder, root) == "pets"
    assert names(root) == ["cifar10", "pets", "shapes"]


def test_a_folder_that_is_refused_is_not_registered(root, tmp_path) -> None:
    folder = make_folder(tmp_path / "pets", classes=("cat",))
    with pytest.raises(DataError, match="one class, cat"):
        register_folder(folder, root)
    assert names(root) == ["cifar10", "shapes"]


def test_what_lies_in_the_data_folder_is_found(root, tmp_path) -> None:
    make_folder(root / "pets")
    shutil.make_archive(str(root / "zoo"), "zip", make_folder(tmp_path / "zoo", seed=1))
    (root / "notes.txt").write_text("x")
    (root / "empty").mkdir()
    assert names(root) == ["cifar10", "pets", "zoo", "shapes"]
    assert default_name(root) == "pets"
    assert load("zoo", root).classes == ("cat", "dog")
    assert register_folder(root / "zoo.zip", root) == "zoo"


def test_a_folder_that_was_moved_away(root, tmp_path) -> None:
    folder = make_folder(tmp_path / "pets")
    register_folder(folder, root)
    folder.rename(tmp_path / "elsewhere")
    assert [source.is_ready for source in available(root)] == [False, False, True]
    assert default_name(root) == "shapes"
    with pytest.raises(DataError, match=r"pets is not there; .* put it back"):
        load("pets", root)


def test_an_unknown_name(root) -> None:
    with pytest.raises(DataError, match="flowers: there is no such dataset; choose one of cifar10, shapes"):
        load("flowers", root)


@pytest.mark.parametrize("content", ["", "[]", '{"folders": 3}', "{"])
def test_a_damaged_list_of_folders(root, content) -> None:
    root.mkdir()
    (root / "sources.json").write_text(content)
    with pytest.raises(DataError, match=r"sources\.json cannot be read .* delete it"):
        available(root)


def test_loading_again_is_quick(shapes_root) -> None:
    load("shapes", shapes_root)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        load("shapes", shapes_root)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


def test_loading_needs_neither_torch_nor_albumentations(shapes_root) -> None:
    code = (
        "import sys; from pathlib import Path; import core.data.cifar10, core.data.folder, core.data.splits;"
        "from core.data import default_name, load; load(default_name(Path(sys.argv[1])), Path(sys.argv[1]));"
        "heavy = {'torch', 'torchvision', 'albumentations', 'cv2', 'streamlit'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    command = [sys.executable, "-c", code, str(shapes_root)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
