"""Waiting until what a run of the page has drawn is on its way to the browser.

Streamlit offers no way to ask, so this looks inside it; where that has changed, nothing is waited for.
"""

import threading
from contextlib import suppress

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.005
"""As often as Streamlit sends."""


def wait_until_sent() -> None:
    """Return once nothing that this run has drawn waits to be sent, or after `PATIENCE_SECONDS`.

    A run of a fragment that begins before takes back what is still waiting of the fragment. The browser, told
    that the page is complete, then takes the fragment off, and what comes behind it is drawn in wrong places.
    """
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return
    with suppress(AttributeError):
        active = runtime.get_instance()._session_mgr.get_active_session_info(context.session_id)
        if active is None:  # the browser has left
            return
        loop, queue = active.session._event_loop, active.session._browser_queue
        is_sent, is_over = threading.Event(), threading.Event()

        def look() -> None:
            if queue.is_empty():
                is_sent.set()
            elif not is_over.is_set():
                loop.call_later(LOOK_SECONDS, look)

        # Called behind all that the run has asked the loop to put into the queue.
        loop.call_soon_threadsafe(look)
        is_sent.wait(PATIENCE_SECONDS)
        is_over.set()
