"""Home: which images are in use, how to get others, and what is wrong with those that cannot be used."""

from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.browser import PROJECT
from tests.pictures import pictures


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """Home, not opened yet, over empty folders."""
    monkeypatch.setattr("ui.paths.DATA", tmp_path / "data")
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)


def write_folder(place: Path, classes: tuple[str, ...]) -> Path:
    """Pictures of the classes, two of each to train and one to test."""
    for split, count in (("train", 2), ("test", 1)):
        for number, name in enumerate(classes):
            (place / split / name).mkdir(parents=True)
            for index, picture in enumerate(pictures(count, seed=number)):
                Image.fromarray(picture).save(place / split / name / f"{index}.png")
    return place


def register(app: AppTest, place: Path) -> AppTest:
    app.text_input(key="home_folder").input(str(place))
    return next(button for button in app.button if button.label == "Use this folder").click().run()


def errors(app: AppTest) -> list[str]:
    assert not app.exception
    return [problem.value for problem in app.error]


def test_a_fresh_machine_shows_the_stand_in_named_as_such_and_a_tested_model(app: AppTest):
    app.run()
    assert errors(app) == []
    assert any("stand-in, not CIFAR-10" in text.value for text in app.markdown)
    assert len(app.image) == 10
    tables = [frame.value for frame in app.dataframe]
    assert any("Shapes (built-in stand-in)" in list(table.get("Measured on", ())) for table in tables)


def test_a_registered_folder_can_be_chosen_and_is_in_use_then(app: AppTest, tmp_path: Path):
    place = write_folder(tmp_path / "flowers", ("aster", "lily"))
    register(app.run(), place)
    assert errors(app) == []
    assert any("choose flowers under Dataset" in text.value for text in app.success)
    app.selectbox(key="data").select("flowers").run()
    assert errors(app) == []
    assert any("flowers (folder)" in text.value and "2 classes" in text.value for text in app.markdown)


@pytest.mark.parametrize(
    "fault, words",
    [
        ("missing", "flowers"),
        ("one class", "class"),
        ("empty class", "lily"),
        ("truncated image", "0.png"),
        ("text for a picture", "0.png"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_by_name_and_the_page_goes_on(
    app: AppTest, tmp_path: Path, fault: str, words: str
):
    place = tmp_path / "flowers"
    if fault != "missing":
        write_folder(place, ("aster",) if fault == "one class" else ("aster", "lily"))
    picture = place / "train" / "lily" / "0.png"
    if fault == "empty class":
        for file in picture.parent.iterdir():
            file.unlink()
    elif fault == "truncated image":
        picture.write_bytes(picture.read_bytes()[:300])
    elif fault == "text for a picture":
        picture.write_text("no picture")
    register(app.run(), place)
    (problem,) = errors(app)
    assert words in problem
    assert len(app.image) == 10
    assert app.selectbox(key="data").options == ["Shapes (built-in stand-in)"]


def test_a_registered_folder_that_is_gone_is_missed_aloud(app: AppTest, tmp_path: Path):
    place = write_folder(tmp_path / "flowers", ("aster", "lily"))
    register(app.run(), place)
    place.rename(tmp_path / "elsewhere")
    app.run()
    assert errors(app) == []
    assert any(str(place) in text.value and "put" in text.value for text in app.warning)


def test_a_damaged_list_of_folders_is_told_and_the_stand_in_serves(app: AppTest, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sources.json").write_text("{")
    app.run()
    assert any("sources.json" in problem for problem in errors(app))
    assert len(app.image) == 10
