"""A real server and a real Chromium for tests.

`app_server` serves the app on a free port of 127.0.0.1 over folders of its own, one server a test;
`shared_server` is one for a whole module. `page` is a fresh browser window
that keeps what the console complains about.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
PAGE_MILLISECONDS = 60_000
UNCAUGHT = "Uncaught app execution"
"""What Streamlit logs where a page fails; the page itself may show it out of sight."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class AppServer:
    """The app over folders of its own; `start` and `stop` may be called again and again."""

    folder: Path
    """Holds data, runs and the server's log."""
    checkpoints: Path = PROJECT / "checkpoints"
    port: int = 0
    """0 takes a free one, kept over restarts."""
    module: str = "streamlit"
    """What Python runs, with the options of `streamlit`."""
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _log: "IO[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where the app is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The app's data folder."""
        return self.folder / "data"

    @property
    def runs(self) -> Path:
        """The app's runs folder."""
        return self.folder / "runs"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Serve; return once the server says that it is healthy, else `RuntimeError` with its log."""
        self.port = self.port or free_port()
        for folder in (self.data, self.runs):
            folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "CONVSCOPE_DATA": str(self.data),
            "CONVSCOPE_RUNS": str(self.runs),
            "CONVSCOPE_CHECKPOINTS": str(self.checkpoints),
        }
        command = [sys.executable, "-m", self.module, "run", "streamlit_app.py"]
        options = ["--server.port", str(self.port), "--server.headless", "true"]
        self._log = self.log.open("ab")
        self.process = subprocess.Popen(
            command + options,
            cwd=PROJECT,
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that a test may send Ctrl-C to it and not to itself
        )
        deadline = time.monotonic() + START_SECONDS
        while not is_healthy(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the app did not start within {START_SECONDS} s:\n{self.log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End this server and nothing else: its training runs go on."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def check(self) -> None:
        """Raise `AssertionError` with what the log says if a page of this server failed."""
        log = self.log.read_text()
        assert UNCAUGHT not in log, log[log.index(UNCAUGHT) :][:4000]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_healthy(url: str) -> bool:
    """Whether a Streamlit server answers there."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def find_chromium() -> str | None:
    """The browser on PATH, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def open_window(browser: "Browser", **options: Any) -> "Page":
    """A window with a fresh profile that keeps what goes wrong in `page.complaints`."""
    options.setdefault("viewport", {"width": 1280, "height": 900})
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PAGE_MILLISECONDS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


def _complaint(message: "ConsoleMessage") -> list[str]:
    """What the console says is wrong.

    Opened at a deep link, Streamlit first looks for its server below the page's own path and is told 404.
    """
    address = message.location["url"]
    is_probe = re.search(r"/[A-Z]\w+/_stcore/(health|host-config)$", address)
    return [] if message.type != "error" or is_probe else [f"{message.text} {address}"]


def open_page(page: "Page", url: str) -> None:
    """Go there and wait until Streamlit has finished drawing."""
    page.goto(url, wait_until="domcontentloaded")
    page.wait_for_selector('[data-testid="stApp"]')
    settle(page)


def settle(page: "Page") -> None:
    """Wait until the script has run to its end and everything that it drew is on screen."""
    page.wait_for_selector('[data-testid="stMainBlockContainer"] h1, [data-testid="stException"]')
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    for unfinished in ("stSkeleton", "stSpinner"):
        page.wait_for_selector(f'[data-testid="{unfinished}"]', state="detached")


@pytest.fixture
def app_server(tmp_path: Path) -> Iterator[AppServer]:
    """A server of this test's own."""
    server = AppServer(tmp_path)
    server.start()
    yield server
    server.stop()
    server.check()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server for all tests of a module that leave nothing behind in it."""
    server = AppServer(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()
    server.check()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium; a machine without it skips by name, CI fails."""
    chromium = find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        missing = "needs Chromium on PATH and the playwright package (requirements-dev.txt)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_OPTIONS))
        yield window
        window.close()


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A fresh window, 1280 by 900, light."""
    window = open_window(browser, color_scheme="light")
    yield window
    window.context.close()
