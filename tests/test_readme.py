"""What README.md says is true: its tree, its commands and its links."""

import difflib
import re
import shlex
import subprocess
import sys

import pytest

from tests.tree import BLOCK, PLACES, PROJECT, README, tree

TEXT = README.read_text(encoding="utf-8")
GUIDES = BLOCK.sub("", TEXT) + (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Without comments, so that only what is typed remains.
COMMANDS = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    for line in block.splitlines()
] + re.findall(r"`((?:make|python) [^`]+)`", GUIDES)
CORE_COMMANDS = [shlex.split(command)[3:] for command in COMMANDS if command.startswith("python -m core ")]


def test_tree_is_the_one_on_the_disk() -> None:
    written = BLOCK.search(TEXT)
    assert written is not None
    changes = difflib.ndiff(written.group().splitlines(), tree().splitlines())
    assert [change for change in changes if change.startswith(("+", "-"))] == [], "run make tree"


def test_every_line_of_the_tree_says_what_it_is() -> None:
    assert [line for line in tree().splitlines() if len(line.split()) < 2] == []


def test_everything_that_is_kept_in_the_repository_is_in_the_tree() -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this copy of the project is not a git repository")
    kept = {path.partition("/")[0] for path in listing.stdout.splitlines()}
    assert kept - {place.removesuffix("/*") for place in PLACES} == set()


def test_every_target_that_is_named_exists() -> None:
    offered = set(re.findall(r"^([a-z-]+):.* ## ", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {shlex.split(command)[1] for command in COMMANDS if command.startswith("make ")}
    assert {"app", "test", "check", "bench", "shots", "train"} <= named
    assert named <= offered


def test_every_file_that_a_command_names_exists() -> None:
    words = {word for command in COMMANDS for word in command.split()}
    files = {word for word in words if word.endswith((".py", ".txt", ".lock"))}
    assert {"requirements.lock", "requirements-dev.txt", "streamlit_app.py"} <= files
    assert [name for name in files if not (PROJECT / name).is_file()] == []


@pytest.mark.parametrize("verb", sorted({words[0] for words in CORE_COMMANDS}))
def test_every_option_of_the_command_line_that_is_named_exists(verb: str) -> None:
    named = {word for words in CORE_COMMANDS if words[0] == verb for word in words if word.startswith("--")}
    help_command = [sys.executable, "-m", "core", verb, "--help"]
    result = subprocess.run(help_command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert [option for option in named if option not in result.stdout] == []


def test_every_link_within_the_project_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", GUIDES) if "://" not in link]
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []
