"""Streamlit's full collection after every rerun stays cheap, however much is imported."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import gc, time
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
assert not app.exception, app.exception
import torch, albumentations, altair, pandas
def collection_ms():
    times = []
    for _ in range(5):
        start = time.perf_counter()
        gc.collect()
        times.append((time.perf_counter() - start) * 1000)
    return min(times)
before = collection_ms()
app.run()
assert not app.exception, app.exception
print(gc.get_freeze_count(), before, collection_ms())
"""


def test_a_rerun_after_heavy_imports_makes_collections_cheap(tmp_path: Path, project: Path):
    environment = {"CONVSCOPE_DATA": str(tmp_path / "data"), "CONVSCOPE_RUNS": str(tmp_path / "runs")}
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=project,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    frozen, before, after = (float(number) for number in answer.stdout.split()[-3:])
    assert frozen > 200_000
    assert after < before / 4, f"a collection took {before:.0f} ms before and {after:.0f} ms after freezing"
    assert after < 20
