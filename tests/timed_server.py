"""The app's server, which says in its log how long it worked for each run of a page.

`python -m tests.timed_server run streamlit_app.py …`, with the options of `streamlit`.
"""

import sys
import time
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web.cli import main

MARK = "run of a page, ms of processor time: "


def _time_runs() -> None:
    run = ScriptRunner._run_script

    def timed(self: ScriptRunner, *arguments: Any) -> Any:
        since = time.thread_time()
        try:
            return run(self, *arguments)
        finally:
            sys.stdout.write(f"{MARK}{1000 * (time.thread_time() - since):.3f}\n")
            sys.stdout.flush()

    ScriptRunner._run_script = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    _time_runs()
    sys.exit(main())
