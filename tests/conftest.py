"""Fixtures that several tests share.

Those that need Chromium live in `tests/browser.py`, those of runs in `tests/forked.py` and `watching.py`.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from core.data import Dataset, load, register_folder
from core.training import runs
from tests.browser import AppServer, app_server, browser, page, shared_server
from tests.forked import forked_workers, forker
from tests.watching import make_run, one_thread

__all__ = [
    "app_server",
    "browser",
    "forked_workers",
    "forker",
    "make_run",
    "one_thread",
    "page",
    "shared_server",
]

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def thaw() -> Iterator[None]:
    """Pages freeze what they import; frozen libraries complain about leaks when the tests end."""
    yield
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real browser beside a busy server may miss a beat: two more tries, and the summary names each."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def real_images() -> Path | None:
    """The archive of real CIFAR-10 images beside the project, or None: use `shapes` then."""
    archive = PROJECT.parent / "shared" / "cifar10" / "cifar10-jpeg.tar.xz"
    return archive if archive.is_file() else None


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the stand-in dataset is drawn already."""
    root = tmp_path_factory.mktemp("data")
    load("shapes", root)
    return root


@pytest.fixture(scope="session")
def real_root(real_images: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A data folder in which the real images are registered and decoded; None where they are missing."""
    if real_images is None:
        return None
    root = tmp_path_factory.mktemp("real")
    register_folder(real_images, root)
    return root


@pytest.fixture(scope="session")
def shapes(shapes_root: Path) -> Dataset:
    """The stand-in dataset."""
    return load("shapes", shapes_root)


@pytest.fixture
def server(tmp_path: Path, real_root: Path | None, shapes_root: Path) -> Iterator[AppServer]:
    """The app with the real images in use, else the stand-in; its runs are stopped at the end."""
    server = AppServer(tmp_path, checkpoints=tmp_path / "no_checkpoints")
    server.data.symlink_to(real_root or shapes_root)
    server.start()
    yield server
    for run in runs.list_runs(server.runs):
        if run.is_live:
            runs.request_stop(server.runs, run.id)
    server.stop()


@pytest.fixture
def clear_caches() -> Iterator[None]:
    """Streamlit's caches outlive an AppTest: empty before and after."""
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()
