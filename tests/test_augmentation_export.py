"""The exported Python does what the app does, pixel by pixel, and looks as a formatter leaves it."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.export import to_python
from core.augmentation.legacy import parse_legacy
from core.augmentation.pipeline import build_pipeline, normalise
from core.errors import SpecError
from core.spec import from_dict
from tests.pictures import pictures

SEED = 11
MIXED = AugmentationSpec(
    name='"quoted"\nand broken',
    steps=(
        StepSpec(transform="ShiftScaleRotate", probability=0.7, arguments={"border_mode": 1}),
        StepSpec(transform="ToGray", is_on=False),
        StepSpec(transform="VerticalFlip", probability=0.0),
        StepSpec(
            transform="ColorJitter",
            probability=1 / 3,
            arguments={"brightness": (0.61, 1.39), "contrast": (0.72, 1.28), "hue": (-0.05, 0.05)},
        ),
        StepSpec(transform="CoarseDropout", arguments={"fill": "random_uniform", "num_holes_range": (1, 3)}),
        StepSpec(transform="Normalize"),
        StepSpec(transform="HorizontalFlip", probability=0.5),
    ),
)
SPECS = {**presets(), "mixed": MIXED}

RUN = """
import runpy, sys
import numpy as np

images = np.load("images.npy")
results = {}
for path in sys.argv[1:]:
    module = runpy.run_path(path)
    train, test = module["train_transform"], module["test_transform"]
    results[path] = np.stack([train(image=image)["image"].numpy() for image in images])
    results["test_" + path] = np.stack([test(image=image)["image"].numpy() for image in images])
np.savez("results.npz", **results)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the exported modules make of the pictures, run away from the project."""
    folder = tmp_path_factory.mktemp("export")
    np.save(folder / "images.npy", pictures(12))
    for key, spec in SPECS.items():
        (folder / f"{key}.py").write_text(to_python(spec, SEED), encoding="utf-8")
    command = [sys.executable, "-c", RUN, *(f"{key}.py" for key in SPECS)]
    environment = {"NO_ALBUMENTATIONS_UPDATE": "1", "PATH": ""}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    with np.load(folder / "results.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("key", SPECS)
def test_it_draws_the_same_pixels_as_the_app(results, key):
    expected = build_pipeline(SPECS[key], SEED).apply(pictures(12))
    assert results[f"{key}.py"].dtype == np.float32
    assert np.abs(results[f"{key}.py"] - expected).max() < 1e-6


@pytest.mark.parametrize("key", SPECS)
def test_its_test_images_are_only_normalised(results, key):
    expected = normalise(pictures(12), SPECS[key].mean, SPECS[key].std)
    assert np.abs(results[f"test_{key}.py"] - expected).max() < 1e-6


@pytest.mark.parametrize("key", SPECS)
def test_it_is_as_ruff_formats_it(key, tmp_path: Path):
    ruff = shutil.which("ruff") or shutil.which("ruff", path=Path(sys.executable).parent)
    if not ruff:
        pytest.skip("ruff is not installed")
    path = tmp_path / "exported.py"
    path.write_text(to_python(SPECS[key]), encoding="utf-8")
    for check in (["format", "--isolated", "--diff"], ["check", "--isolated", "--select", "E,F,I,UP,W"]):
        run = subprocess.run([ruff, *check, str(path)], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("key", SPECS)
def test_what_is_exported_is_read_back_as_it_was(key):
    spec = SPECS[key]
    reading = parse_legacy(to_python(spec))
    assert reading.spec.steps == tuple(step for step in spec.steps if step.is_on and step.probability > 0)
    assert (reading.spec.mean, reading.spec.std) == (spec.mean, spec.std)


@pytest.mark.parametrize(
    "step",
    [
        {"transform": "x()\nimport os\n#"},
        {"transform": "__import__('os').system"},
        {"transform": "ToGray", "arguments": {"p=1), __import__('os').system('x'": 1}},
        {"transform": "ToGray", "arguments": {"lambda": 1}},
    ],
)
def test_names_from_a_tampered_link_never_become_code(step):
    with pytest.raises(SpecError, match="no name in Python"):
        to_python(AugmentationSpec(name="test", steps=(from_dict(StepSpec, step),)))


def test_words_from_a_tampered_link_stay_words():
    hostile = 'x"), __import__("os").system("x'
    step = from_dict(StepSpec, {"transform": "CoarseDropout", "arguments": {"fill": hostile}})
    tree = ast.parse(to_python(AugmentationSpec(name='"""\nimport os\n"""', steps=(step,))))
    assert hostile in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import) and "os" in ast.unparse(node)]
