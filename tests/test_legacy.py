"""Course code of any release is understood, every change is told, and nothing of it is ever run."""

import inspect
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.augmentation import presets
from core.augmentation.legacy import LegacyReading, parse_legacy
from core.augmentation.legacy_others import OTHERS
from core.augmentation.library import albumentations
from core.augmentation.pipeline import build_pipeline
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD
from core.errors import SpecError
from tests.legacy_snippets import SEEDS, STEPS
from tests.pictures import pictures

CLASS = """
class Transforms:
    def __init__(self):
        self.p = 0.3
        self.transforms = A.Compose([A.HorizontalFlip(p=self.p)])

    def __call__(self, image):
        return self.transforms(image=np.array(image))["image"]
"""
FLIP = "A.HorizontalFlip(), "


def compose(inside: str) -> str:
    return f"import albumentations as A\nimport cv2\n\nt = A.Compose([\n    {inside}\n])"


def why(reading: LegacyReading) -> str:
    return " | ".join(f"{change.line} {change.step}: {change.why}" for change in reading.changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seeds_code_becomes_their_preset_as_written(seed):
    spec = parse_legacy(SEEDS[seed]).spec
    preset = presets()[f"{seed}_as_written"]
    assert spec.steps == preset.steps
    assert (spec.mean, spec.std) == (preset.mean, preset.std)


def test_the_chance_of_seed_003_as_it_was_drawn_cannot_be_told():
    drawn = SEEDS["seed_003"].replace("p=q", "p=round(random.uniform(0.35, 0.52), 2)")
    with pytest.raises(SpecError, match=r"line 10: `round\(random.uniform\(0.35, 0.52\), 2\)` is a call"):
        parse_legacy(drawn)


@pytest.mark.parametrize("inside, steps", STEPS.values(), ids=STEPS)
def test_each_release_is_translated_and_the_translation_runs(inside, steps):
    spec = parse_legacy(compose(inside)).spec
    assert spec.steps == steps
    batch = build_pipeline(spec, seed=1).apply(pictures(4))
    assert np.isfinite(batch).all()


def test_there_are_enough_styles():
    assert len([style for style in STEPS if style[0] in "01"]) >= 20


def test_whatever_is_called_otherwise_is_told_with_its_line():
    told = why(parse_legacy(SEEDS["seed_001"]))
    assert "15 ShiftScaleRotate" in told
    assert "without border_mode" in told
    assert "16 CoarseDropout" in told
    assert "fraction off: 0.4675, 0.4599, 0.4236 → 0" in told
    assert "min_height and max_height became hole_height_range" in told
    assert "5 CIFAR10Dataset: is not what training images go through" in told
    assert "test_transforms" in told


@pytest.mark.parametrize(
    "inside, words",
    [
        ("A.HorizontalFlip(0.2)", "this argument without a name is always_apply; from 1.4.15 on it is p"),
        ("A.HorizontalFlip(always_apply=True)", "always_apply made it act on every image"),
        ("A.CoarseDropout(max_height=4, max_width=4)", "without max_holes it was 8"),
        ("A.CoarseDropout(1, 1, 1, min_width=16)", "min_width 16 above max_width 1"),
        ("A.ColorJitter(0.1, 0.1, 0.1)", "without hue the hue turned by up to 0.2"),
        ("A.Cutout()", "Cutout is gone"),
        ("A.Affine()", "2.0.8's does nothing"),
        ("A.Normalize()", "ImageNet's"),
        ("A.Normalize((125, 123, 114), (63, 62, 67), max_pixel_value=1)", "max_pixel_value 1 is counted"),
        ("A.HorizontalFlip()", "no Normalize"),
        ("A.CoarseDropout(max_height=4, max_width=4)", "it was 8, from 1.4.7 on 1"),
        (
            "A.CoarseDropout(num_holes_range=(1, 2))",
            "without hole_height_range it was (8, 8); in 2.0.8 it is (0.1",
        ),
        ("A.ShiftScaleRotate(rotate_limit=0)", "shifts by whole pixels"),
        ("A.Affine(translate_percent=(-0.1, 0.1))", "shifts by whole pixels"),
        (
            "A.PadIfNeeded(40, 40, border_mode=0, value=128), A.RandomCrop(32, 32)",
            "write three numbers for grey",
        ),
        ("A.RandomRotate90()", "without p it was 0.5; in 2.0.8 it is 1"),
        ("A.GridDistortion()", "without border_mode it was the mirrored image"),
        ("A.ElasticTransform()", "alpha_affine, 50 px where not given"),
        ("A.ISONoise()", "more than twice as much"),
        ("A.JpegCompression()", "JpegCompression is called ImageCompression now"),
        ("A.Perspective(mask_pad_val=1)", "mask_pad_val is left out"),
        ("A.ShiftScaleRotate(), A.CoarseDropout(fill=0)", "read as of 2.0, whose border is black"),
    ],
)
def test_defaults_that_changed_are_told(inside, words):
    assert words in why(parse_legacy(compose(inside)))


def test_code_of_2_0_8_that_needs_no_change_tells_of_none():
    inside = "A.HorizontalFlip(p=0.5), A.CoarseDropout(num_holes_range=(1, 1), fill=0), A.Normalize(0.5, 0.5)"
    assert why(parse_legacy(compose(inside))) == ""


@pytest.mark.parametrize(
    "normalize, mean, std",
    [
        ("A.Normalize()", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("A.Normalize(mean=0.5, std=0.5)", (0.5,) * 3, (0.5,) * 3),
        ("A.Normalize([51.0, 102, 153], (51,) * 3, 1.0)", (0.2, 0.4, 0.6), (0.2,) * 3),
        ("A.ToTensor(normalize=dict(mean=(0.1, 0.2, 0.3), std=[0.4] * 3))", (0.1, 0.2, 0.3), (0.4,) * 3),
        ("A.ToTensor()", (0,) * 3, (1,) * 3),
        ("ToTensorV2()", CIFAR10_MEAN, CIFAR10_STD),
    ],
)
def test_statistics_in_every_way_that_they_are_written(normalize, mean, std):
    spec = parse_legacy(compose(FLIP + normalize)).spec
    assert [step.transform for step in spec.steps] == ["HorizontalFlip"]
    assert (spec.mean, spec.std) == (mean, std)


@pytest.mark.parametrize(
    "source",
    [
        "from albumentations import Compose, HorizontalFlip as Flip\nt = Compose([Flip(p=0.3)])",
        "import albumentations\nalbumentations.Compose([albumentations.HorizontalFlip(p=0.3)])",
        "from albumentations import *\nq = 0.1 * 3\nsteps = [HorizontalFlip(p=q)]\nt = Compose(steps)",
        "from albumentations.augmentations.transforms import HorizontalFlip\nCompose([HorizontalFlip(p=.3)])",
        "    A.Compose(transforms=[A.HorizontalFlip(p=0.3)], p=1.0)",
        "t = {'train': A.Compose([A.HorizontalFlip(p=0.3)]), 'test': A.Compose([A.Normalize()])}",
        "def f(p=0.3, *, q: float = 0.3):\n    return A.Compose([A.HorizontalFlip(p=q)])",
        CLASS,
        "ps = [x / 10 for x in (3, 4)]\nt = A.Compose([A.HorizontalFlip(p=ps[0])])",
        "t: A.Compose = A.Compose([A.Compose([A.HorizontalFlip(p=0.3)])])",
        "p = int(3.7) / float(10)\nt = A.Compose([A.HorizontalFlip(p=p)])",
        "\ufefft = A.Compose([A.HorizontalFlip(p=0.3)])",
        "t = A.ReplayCompose([A.HorizontalFlip(p=0.3)])",
        "def train():\n    return A.Compose([A.HorizontalFlip(p=0.3)])\n\nt = train()",
        CLASS + "train = Transforms()",
        "data = CIFAR10Dataset(transform=A.Compose([A.HorizontalFlip(p=0.3)]))",
        "from albumentations.augmentations.geometric.flip import HorizontalFlip as F\nCompose([F(p=0.3)])",
        "from cv2 import BORDER_WRAP\nt = A.Compose([A.HorizontalFlip(p=BORDER_WRAP / 10)])",
        "ps = [0.1, 0.2, 0.3][1:]\nt = A.Compose([A.HorizontalFlip(p=ps[3 // 2])])",
        "b = [A.HorizontalFlip(p=0.3)]\nt = A.Compose(b + [A.Normalize(), A.pytorch.ToTensorV2()])",
    ],
)
def test_however_it_is_written_down(source):
    (step,) = parse_legacy(source).spec.steps
    assert step.transform == "HorizontalFlip"
    assert step.probability == pytest.approx(0.3)


@pytest.mark.parametrize(
    "source, words",
    [
        ("", "line 1: there is no pipeline"),
        ("x = 1\n\nA.Compose([A.HorizontalFlip(p=p)])", "line 3: p has no value in this code; write p = "),
        ("def f(\n", r"line 1: this is not Python"),
        ("A.Compose([\n  A.OneOf([A.HorizontalFlip()], p=1)])", "line 2: OneOf is not offered here"),
        (
            "A.Compose([\n A.CoarseDropout(holes=3)])",
            "line 2: CoarseDropout: no release has",
        ),
        ("A.Compose([\n\n A.RandomCrop(32)])", "line 3: RandomCrop: width is needed"),
        ("A.Compose([A.HorizontalFlip(p=2)])", "line 1: probability: must be less"),
        ("A.Compose([A.HorizontalFlip(p='often')])", "line 1: HorizontalFlip: p is a number"),
        ("A.Compose([A.HorizontalFlip()], p=0.5)", "line 1: Compose: p is not understood; give every step"),
        ("A.Compose([A.Normalize(p=0.5)])", "line 1: Normalize: has to act on every image"),
        ("A.Compose([A.Normalize(), A.Normalize()])", "normalised already"),
        ("A.Compose([A.Normalize(mean=(0.5, 0.5))])", "mean is three numbers"),
        ("A.Compose([A.Normalize(std=0)])", "line 1: std"),
        ("A.Compose([A.Affine(rotate=15)])", "rotate from 15 to 15: which way is positive"),
        ("A.Compose([A.Affine(shear={'x': (-1, 1), 'y': (0, 0)})])", "shear differs between x and y"),
        ("A.Compose([A.ShiftScaleRotate(shift_limit_x=0.1)])", "use one range for both"),
        ("A.Compose([A.CoarseDropout(fill_value=300)])", "fill_value is a colour from 0 to 255"),
        ("A.Compose([A.CoarseDropout(max_height=0.5)])", "mixes sizes in pixels with shares"),
        ("A.Compose([A.Rotate(crop_border=True)])", "crop_border changes the size"),
        ("A.Compose([A.RandomCrop(32, 32), A.PadIfNeeded(40, 40)])", "put it first"),
        ("A.Compose([A.HorizontalFlip()])\nA.Compose([A.VerticalFlip()])", "line 2: there are 2 pipelines"),
        ("A.HorizontalFlip()", "line 1: HorizontalFlip stands outside of any Compose"),
        ("T.Compose([\n T.RandomCrop(32, padding=4), T.ToTensor()])", "line 2: RandomCrop is torchvision's"),
        (
            "A.Compose([\n A.Resize(36, 36), A.PadIfNeeded(40, 40)])",
            "line 2: PadIfNeeded: is understood only",
        ),
        (
            "A.Compose([\n A.CoarseDropout(num_holes_range=3)])",
            "line 2: CoarseDropout: num_holes_range is a pair",
        ),
        (
            "A.Compose([\n A.CLAHE(clip_limit=A.Blur())])",
            r"line 2: CLAHE: clip_limit is a plain value, got Blur\(",
        ),
        ("A.Compose([A.RandomResizedCrop((32, 32), (0.5, 1))])", "height and width are two numbers"),
        ("A.Compose([A.Flip()])", "write HorizontalFlip, VerticalFlip or both"),
        ("t = A.Compose(\n[A.HorizontalFlip()] * 21)", "line 1: there are 21 steps, at most 20"),
        (CLASS + "train = Transforms(p=0.9)", r"line 9: `Transforms\(p=0.9\)` hands values"),
        ("if train:\n    t = A.Compose([])", "line 1: `if …` is not understood"),
    ],
)
def test_what_cannot_be_understood_is_refused_at_its_line(source, words):
    with pytest.raises(SpecError, match=words):
        parse_legacy(source)


HOSTILE = {
    "import": "import os\nos.system('touch {canary}')",
    "import from": "from subprocess import run\nrun(['touch', '{canary}'])",
    "import of a project": "from . import secrets",
    "dunder import": "__import__('os').system('touch {canary}')",
    "call in an argument": "A.Compose([A.HorizontalFlip(p=open('{canary}', 'w').write('x'))])",
    "call in the list": 'A.Compose([exec(\'open("{canary}", "w")\')])',
    "eval": 'x = eval(\'open("{canary}", "w")\')',
    "lambda": "A.Compose([A.Lambda(image=lambda image, **_: open('{canary}', 'w'))])",
    "immediate lambda": "p = (lambda: open('{canary}', 'w'))()",
    "attributes": "A.Compose([A.HorizontalFlip.__init__.__globals__['os'].system('touch {canary}')])",
    "classes": "x = ().__class__.__bases__[0].__subclasses__()",
    "module attribute": "import numpy as np\nnp.save('{canary}', 1)",
    "library function": "import albumentations as A\nA.save(A.HorizontalFlip(), '{canary}')",
    "library module": "import albumentations as A\nx = A.os.system('touch {canary}')",
    "default argument": "def f(p=open('{canary}', 'w')):\n    return A.Compose([A.HorizontalFlip()])",
    "decorator": "@open('{canary}', 'w')\ndef f():\n    pass",
    "format string": 'x = f\'{open("{canary}", "w")}\'',
    "comprehension": "x = [open('{canary}', 'w') for i in (1, 2)]",
    "walrus": "A.Compose([A.HorizontalFlip(p=(x := open('{canary}', 'w')))])",
    "with": "with open('{canary}', 'w') as f:\n    f.write('x')",
    "loop": "while True:\n    pass",
    "star": "A.Compose([A.HorizontalFlip(**vars())])",
    "power": "x = 9 ** 9 ** 9 ** 9",
    "huge number": "x = " + "9" * 40_000,
    "infinity": "x = 1e308 * 1e308",
    "huge list": "x = [0] * 1_000_000_000",
    "growing list": "a = (1,) * 100\n" + "a = a + a\n" * 60,
    "nested comprehensions": "y = (1,) * 99\nx = [[[[1 for a in y] for b in y] for c in y] for d in y]",
    "a megabyte of brackets": "x = " + "(" * 1_000_000,
    "brackets": "x = " + "[" * 20_000 + "]" * 20_000,
    "minus": "x = " + "-" * 40_000 + "1",
    "not": "x = " + "not " * 12_000 + "1",
    "plus": "x = " + "1+" * 20_000 + "1",
    "attribute chain": "x = a" + ".a" * 20_000,
    "many lines": "x = 1\n" * 8_000,
    "null": "x = '\0'",
    "steps in steps": "a = A.Compose([A.HorizontalFlip()] * 20)\n" + "a = A.Compose([a] * 200)\n" * 6,
    "lists in lists": "a = [1] * 200\n" + "a = [a] * 200\n" * 6 + "A.Compose([A.Normalize(mean=a)])",
    "a list in a list, without end": "a = [1]\n" + "a = [a]\n" * 2_000,
    "calls in calls": "a = X()\n" + "a = X(a, a)\n" * 1_000 + "A.Compose([A.HorizontalFlip(p=a)])",
    "a long name": "x = " + "a" * 40_000,
    "a long transform": f"A.Compose([A.H{'a' * 40_000}()])",
    "a long word": f"A.Compose([A.HorizontalFlip(p='{'a' * 40_000}')])",
    "a long argument": f"A.Compose([A.HorizontalFlip({'a' * 40_000}=1)])",
    "half a character": "x = '\udc80'",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_code_is_refused_and_not_run(source, tmp_path: Path):
    canary = tmp_path / "canary"
    start = time.monotonic()
    with pytest.raises(SpecError) as refusal:
        parse_legacy(source.replace("{canary}", str(canary)))
    assert time.monotonic() - start < 2
    assert str(refusal.value).startswith("line ")
    assert len(str(refusal.value)) < 400
    assert not canary.exists()


def test_what_is_left_out_is_not_run_either(tmp_path: Path):
    canary = tmp_path / "canary"
    source = f"def f():\n    open({str(canary)!r}, 'w')\n\nf2 = A.Compose([A.HorizontalFlip()])"
    assert "f: is not what" in why(parse_legacy(source))
    assert not canary.exists()


def test_what_is_known_of_old_releases_leads_to_arguments_of_this_one():
    for name, older in OTHERS.items():
        arguments = set(inspect.signature(getattr(albumentations, name)).parameters)
        called = {older.renamed.get(place, place) for place in older.places} - {"always_apply"}
        called -= {old for first, second, _ in older.two.values() for old in (first, second)}
        assert called <= arguments, name
        assert {*older.began, *older.two, *older.renamed.values(), *older.values} <= arguments, name
        assert not older.gone & arguments, name


def test_reading_code_needs_neither_albumentations_nor_torch():
    listing = "import sys, core.augmentation.legacy; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout
    assert not {"albumentations", "torch", "cv2"} & set(modules.split())
