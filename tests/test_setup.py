"""The set-up keeps its promises: the lock covers what is asked for, the app is local, colours can be read."""

import os
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version

import pytest
from packaging.requirements import Requirement
from streamlit import config

from tests.source import PROJECT, read_sources

OPTIONS = tomllib.loads((PROJECT / ".streamlit/config.toml").read_text())
READABLE = 4.5  # to 1: WCAG 2.1, level AA, for text
CAPTION = 0.6  # Streamlit draws captions at this strength
VISIBLE = 3.0  # to 1: the same, for what is not text


def requirements(name: str) -> dict[str, Requirement]:
    """What a requirements file asks for, by name."""
    lines = [line.partition("#")[0].strip() for line in (PROJECT / name).read_text().splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {requirement.name: requirement for requirement in found}


def pinned(requirement: Requirement) -> str:
    """The one version that a line of the lock allows."""
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", requirement
    return specifier.version


def test_the_lock_pins_every_direct_dependency_inside_its_range() -> None:
    lock = requirements("requirements.lock")
    for name, wanted in requirements("requirements.txt").items():
        assert wanted.specifier.contains(pinned(lock[name])), f"{lock[name]} is not {wanted}: run make lock"


def test_what_runs_here_is_what_is_locked() -> None:
    for name, locked in requirements("requirements.lock").items():
        if locked.marker is None or locked.marker.evaluate():
            assert version(name) == pinned(locked), f"install requirements.lock: {name} differs"


def test_every_library_that_is_imported_is_asked_for() -> None:
    own = {"core", "ui"} | sys.stdlib_module_names
    packages = packages_distributions()
    asked = requirements("requirements.txt")
    for source in read_sources("core", "ui", "pages", "streamlit_app.py"):
        for line, name in source.imports:
            library = name.partition(".")[0]
            assert library in own or set(packages[library]) & asked.keys(), f"{source.path}:{line} {library}"


def test_the_lock_asks_for_nvidia_packages_on_linux_only() -> None:
    mac = {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"}
    lock = requirements("requirements.lock")
    for_linux = [name for name in lock if name.startswith(("nvidia-", "cuda-", "triton"))]
    assert for_linux
    for name in for_linux:
        marker = lock[name].marker
        assert marker is not None, name
        assert not marker.evaluate(mac), name


def test_the_last_free_albumentations_is_the_one_in_use() -> None:
    assert version("albumentations") == "2.0.8"


def flattened(options: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Options by their dotted names."""
    flat: dict[str, object] = {}
    for name, value in options.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def test_streamlit_knows_every_option_that_is_set() -> None:
    known = config.get_config_options().keys()
    assert flattened(OPTIONS).keys() - known == set()


@pytest.mark.parametrize(
    "option, value",
    [
        ("server.address", "127.0.0.1"),
        ("server.allowedHosts", ["localhost", "127.0.0.1"]),
        ("server.maxUploadSize", 20),
        ("server.enableStaticServing", False),
        ("client.showErrorDetails", "none"),
        ("browser.gatherUsageStats", False),
    ],
)
def test_the_server_is_local_and_tells_nobody(option: str, value: object) -> None:
    assert flattened(OPTIONS)[option] == value


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, from 0 to 1, after WCAG 2.1."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, after WCAG 2.1."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def faded(colour: str, background: str, share: float) -> str:
    """The colour at `share` of its strength over the background."""
    pairs = [
        (int(colour[start : start + 2], 16), int(background[start : start + 2], 16)) for start in (1, 3, 5)
    ]
    return "#" + "".join(f"{round(share * front + (1 - share) * back):02x}" for front, back in pairs)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_accent_and_charts_can_be_read(mode: str) -> None:
    theme = OPTIONS["theme"][mode]
    sidebar = theme | theme["sidebar"]
    for part in (theme, sidebar):
        for background in (part["backgroundColor"], part["secondaryBackgroundColor"]):
            assert contrast(part["textColor"], background) >= READABLE
            assert contrast(part["linkColor"], background) >= READABLE
            assert contrast(faded(part["textColor"], background, CAPTION), background) >= READABLE
        assert contrast(part["primaryColor"], part["backgroundColor"]) >= READABLE
    assert contrast(theme["primaryColor"], "#ffffff") >= READABLE, (
        "Streamlit writes white on a primary button"
    )
    for colour in theme["chartCategoricalColors"]:
        assert contrast(colour, theme["backgroundColor"]) >= VISIBLE
    assert len(theme["chartSequentialColors"]) == len(theme["chartDivergingColors"]) == 10


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_sequential_colours_move_away_from_the_background_step_by_step(mode: str) -> None:
    theme = OPTIONS["theme"][mode]
    steps = [contrast(colour, theme["backgroundColor"]) for colour in theme["chartSequentialColors"]]
    assert steps == sorted(steps)
    assert steps[-1] / steps[0] > 7


def makefile_targets() -> set[str]:
    """The targets that `make` offers."""
    return set(re.findall(r"^([a-z]+):.* ## ", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))


def test_continuous_integration_calls_the_targets_that_developers_call() -> None:
    script = PROJECT / ".ci/run"
    called = set(re.findall(r"^make (\w+)", script.read_text(), flags=re.MULTILINE))
    assert called == {"check", "test"}
    assert called <= makefile_targets()
    assert os.access(script, os.X_OK)
    assert ".ci/run" in (PROJECT / ".github/workflows/ci.yml").read_text()
