"""The network in hand is the link's where a link brings one; a click in a hurry brings no older one back."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.network import presets
from core.spec import to_link


def show() -> None:
    """A page that edits the network: it names the one in hand and keeps the link whole."""
    import streamlit as st

    from core.network import presets
    from ui import state

    st.button("Second", on_click=lambda: state.set_network(presets()["seed_001"]), key="second")
    st.button("Third", on_click=lambda: state.set_network(presets()["seed_002"]), key="third")
    spec = state.current_network()
    state.set_network(spec)
    st.title(str(state.preset_key(spec, presets())))


@pytest.fixture
def app() -> AppTest:
    """The page at the link of seed 000."""
    page = AppTest.from_function(show)
    page.query_params["network"] = "seed_000"
    return page.run()


def in_hand(app: AppTest) -> str:
    """The key of the preset in hand."""
    assert not app.exception
    return str(app.title[0].value)


def click(app: AppTest, key: str, link: str) -> str:
    """Click while the browser still shows `link`."""
    app.query_params["network"] = link
    app.button(key=key).click().run()
    return in_hand(app)


def test_a_link_brings_its_network(app: AppTest) -> None:
    assert in_hand(app) == "seed_000"
    app.query_params["network"] = "seed_003"
    assert in_hand(app.run()) == "seed_003"


def test_a_click_before_the_link_has_reached_the_browser_keeps_what_was_changed(app: AppTest) -> None:
    assert click(app, "second", "seed_000") == "seed_001"
    app.query_params["network"] = "seed_000"  # a click elsewhere, with the link as it was
    assert in_hand(app.run()) == "seed_001"
    assert click(app, "third", "seed_000") == "seed_002"
    app.query_params["network"] = "seed_001"
    assert in_hand(app.run()) == "seed_002"


def test_going_back_in_the_browser_brings_the_earlier_network(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.state.HURRY_SECONDS", 0.0)
    assert click(app, "second", "seed_000") == "seed_001"
    app.query_params["network"] = "seed_001"  # the browser shows the new link
    app.run()
    app.query_params["network"] = "seed_000"
    assert in_hand(app.run()) == "seed_000"


@pytest.mark.parametrize("damage", [lambda link: link[:-9], lambda link: link[::-1], lambda link: "%"])
def test_a_damaged_link_is_explained_and_the_network_in_hand_kept(
    app: AppTest, damage: Callable[[str], str]
) -> None:
    app.query_params["network"] = damage(to_link(presets()["seed_004"]))
    assert in_hand(app.run()) == "seed_000"
    assert "The network in hand is kept" in app.error[0].value
    assert not app.run().error
