"""Every page opens in a real browser by its own address, light and dark, wide and narrow, without error."""

import http.client
from typing import TYPE_CHECKING

import pytest

from tests.browser import PROJECT, AppServer, open_page, open_window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A page's address is its file name without the number.
ADDRESSES = ["", *(page.stem.partition("_")[2] for page in sorted((PROJECT / "pages").glob("*.py")))]
NARROW = {"width": 800, "height": 900}
FITS = """() => {
    const main = document.querySelector('[data-testid="stMain"]');
    return main.scrollWidth <= main.clientWidth + 1;
}"""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address or "Home")
def test_page_opens_by_its_address(
    shared_server: AppServer, browser: "Browser", address: str, scheme: str
) -> None:
    page = open_window(browser, color_scheme=scheme)
    open_page(page, f"{shared_server.url}/{address}")
    problems = page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]')
    assert problems.all_inner_texts() == [], shared_server.log.read_text()[-3000:]
    assert page.complaints == []
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(3, 5, 6)"}[scheme]
    page.set_viewport_size(NARROW)
    page.wait_for_function(FITS, timeout=10_000)
    page.context.close()


def test_a_web_address_of_another_name_is_turned_away(shared_server: AppServer) -> None:
    """A page elsewhere that points its own name at this machine gets no connection."""
    answers = {}
    for host in ("127.0.0.1", "evil.example"):
        connection = http.client.HTTPConnection("127.0.0.1", shared_server.port, timeout=10)
        headers = {
            "Host": f"{host}:{shared_server.port}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        connection.request("GET", "/_stcore/stream", headers=headers)
        answers[host] = connection.getresponse().status
        connection.close()
    assert answers == {"127.0.0.1": 101, "evil.example": 403}
