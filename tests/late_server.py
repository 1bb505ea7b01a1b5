"""The app's server, which sends what a run has drawn a third of a second late, as a crowded machine may.

`python -m tests.late_server run streamlit_app.py …`, with the options of `streamlit`.
"""

import sys

from streamlit.runtime import runtime
from streamlit.web.cli import main

LATE_SECONDS = 0.3

if __name__ == "__main__":
    runtime.MESSAGE_FLUSH_INTERVAL_SECS = LATE_SECONDS  # type: ignore[misc]
    sys.exit(main())
