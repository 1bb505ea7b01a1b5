"""Picture pages, light and dark, wide and narrow, into shots/: `make shots`, or some: `ARGS="Train Demo"`."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, PROJECT, AppServer, find_chromium, open_page, open_window

SHOTS = PROJECT / "shots"
WIDTHS = (1280, 800)
SCHEMES = ("light", "dark")
# Charts and images fade in after the script has ended.
FADE_MILLISECONDS = 800


def page_addresses() -> dict[str, str]:
    """The name of every page and its address below the server."""
    names = [page.stem.partition("_")[2] for page in sorted((PROJECT / "pages").glob("*.py"))]
    return {"Home": "", **{name: name for name in names}}


def picture_whole(window: Page, path: Path) -> None:
    """Picture the page at its full height: Streamlit scrolls inside the window, so the window has to grow."""
    content = window.locator('[data-testid="stMainBlockContainer"]').bounding_box()
    size = window.viewport_size
    window.set_viewport_size({**size, "height": max(size["height"], int(content["height"]) + 80)})
    window.wait_for_timeout(FADE_MILLISECONDS)
    window.screenshot(path=path)
    window.set_viewport_size(size)


def take(server: AppServer, names: list[str]) -> None:
    """Picture these pages of a running server, at their full height, and print where each picture lies."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_OPTIONS))
        for scheme in SCHEMES:
            for width in WIDTHS:
                window = open_window(chromium, color_scheme=scheme, viewport={"width": width, "height": 900})
                for name in names:
                    open_page(window, f"{server.url}/{page_addresses()[name]}")
                    path = SHOTS / f"{name.lower()}-{scheme}-{width}.png"
                    picture_whole(window, path)
                    print(path.relative_to(PROJECT))
                window.context.close()
        chromium.close()


def main() -> None:
    """Serve the app over empty folders and picture it."""
    names = sys.argv[1:] or list(page_addresses())
    unknown = set(names) - page_addresses().keys()
    if unknown or find_chromium() is None:
        sys.exit(f"no page is called {', '.join(unknown)}" if unknown else "pictures need Chromium on PATH")
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder))
        server.start()
        try:
            take(server, names)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
