"""Where the app keeps its files; each place can be moved by an environment variable."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

DATA = Path(os.environ.get("CONVSCOPE_DATA", ROOT / "data"))
"""Downloaded, registered and decoded datasets."""
RUNS = Path(os.environ.get("CONVSCOPE_RUNS", ROOT / "runs"))
"""One folder a training run."""
CHECKPOINTS = Path(os.environ.get("CONVSCOPE_CHECKPOINTS", ROOT / "checkpoints"))
"""Models that ship with the app."""
