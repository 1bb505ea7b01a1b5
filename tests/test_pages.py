"""Every page, reached from the entry script as a user reaches it, draws without an exception."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.browser import PROJECT

HOME = "streamlit_app.py"
PAGES = [HOME, *(f"pages/{page.name}" for page in sorted((PROJECT / "pages").glob("*.py")))]


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """Home, drawn once, with the stand-in images and without any run."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / HOME), default_timeout=60).run()


@pytest.mark.parametrize("page", PAGES)
def test_page_draws_on_the_stand_in_images(app: AppTest, page: str) -> None:
    if page != HOME:
        app.switch_page(page).run()
    assert [problem.value for problem in app.exception] == []
    assert [problem.value for problem in app.error] == []
    assert len(app.title) == 1
