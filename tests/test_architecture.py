"""The rules of the house: who may import whom, what may not be written, how long a file may be."""

import ast
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.source import HEAVY, PARTS, PROJECT, Source, read_sources

CORE = read_sources("core")
UI = read_sources("ui")
PAGES = (*read_sources("pages"), *read_sources("streamlit_app.py"))
ALL = (*read_sources(*PARTS), *read_sources("streamlit_app.py"))

# These only do arithmetic and read data, so that the pages that need nothing else open at once.
LIGHT_NAMES = frozenset({"__init__", "spec", "presets", "sizing", "briefs", "findings", "recipe"})
PEERS = ("core.data", "core.augmentation", "core.network")
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
CODE_LOADERS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
SWITCHES = ("allow_pickle", "shell", "unsafe_allow_html")
HTML_WRITERS = ("st.html", "components.html", "components.v1.html", "st.components.v1.html", "st.iframe")
STYLED = ("st.html", "ui/augmentation/style.py")
"""The one writer, of a file of its own that no visitor can add to."""


def below(package: str) -> list[Source]:
    """The files of one package of core."""
    return [source for source in CORE if f"{source.module}.".startswith(f"{package}.")]


def test_there_is_something_to_check() -> None:
    assert len(CORE) > 20
    assert len(UI) > 3
    assert len(PAGES) > 1


def test_core_knows_nothing_of_the_app() -> None:
    app = ("streamlit", "altair", "ui", "pages", "streamlit_app")
    assert [place for source in CORE for place in source.imports_from(*app)] == []


def test_ui_knows_nothing_of_the_pages() -> None:
    assert [place for source in UI for place in source.imports_from("pages", "streamlit_app")] == []


def test_ui_and_pages_leave_the_heavy_libraries_to_core() -> None:
    assert [place for source in (*UI, *PAGES) for place in source.imports_from(*HEAVY)] == []


def test_imports_are_absolute() -> None:
    assert [source.path for source in ALL for _, name in source.imports if name.startswith(".")] == []


@pytest.mark.parametrize("package", PEERS)
def test_data_augmentation_and_network_know_nothing_of_each_other(package: str) -> None:
    others = [peer for peer in PEERS if peer != package] + [
        "core.training",
        "core.evaluation",
        "core.checkpoint",
    ]
    assert [place for source in below(package) for place in source.imports_from(*others)] == []


@pytest.mark.parametrize(
    "package, other", [("core.training", "core.evaluation"), ("core.evaluation", "core.training")]
)
def test_training_and_evaluation_do_not_import_each_other(package: str, other: str) -> None:
    assert [place for source in below(package) for place in source.imports_from(other)] == []


def imports_in_own_interpreter(modules: list[str]) -> str:
    """What is wrong with importing these modules one after the other; empty if nothing."""
    command = [sys.executable, "-m", "tests.source", *modules]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    return result.stderr if result.returncode else ""


def test_descriptions_and_arithmetic_need_neither_torch_nor_albumentations() -> None:
    light = [source.module for source in CORE if PurePosixPath(source.path).stem in LIGHT_NAMES]
    assert "core.network.spec" in light
    assert imports_in_own_interpreter(light) == ""


def test_importing_ui_needs_neither_torch_nor_albumentations() -> None:
    assert imports_in_own_interpreter([source.module for source in UI]) == ""


def test_the_check_for_heavy_imports_can_fail() -> None:
    assert "brings in torch" in imports_in_own_interpreter(["core.network.build"])


def test_albumentations_is_imported_only_after_its_update_check_is_switched_off() -> None:
    importers = 0
    for source in ALL:
        lines = [int(place.split(":")[1].split()[0]) for place in source.imports_from("albumentations")]
        if lines:
            importers += 1
            switches = [node.lineno for node, name in source.calls() if name == "os.environ.setdefault"]
            assert switches, f"{source.path} sets NO_ALBUMENTATIONS_UPDATE nowhere"
            assert min(switches) < min(lines), f"{source.path} sets it too late"
    assert importers


def test_core_prints_only_from_its_command_line() -> None:
    prints = [
        f"{source.path}:{call.lineno}"
        for source in CORE
        for call, name in source.calls()
        if name == "print" and source.path != "core/__main__.py"
    ]
    assert prints == []


def test_core_never_reads_the_environment() -> None:
    """It may set a variable for a library: nothing but `os.environ.setdefault(...)` with constants.

    Its command line hands the environment on, since torchrun has no other way to number its processes.
    """
    readers = []
    for source in CORE:
        if source.path == "core/__main__.py":
            continue
        setters = {
            id(call.func.value)
            for call, name in source.calls()
            if name == "os.environ.setdefault"
            and isinstance(call.func, ast.Attribute)
            and all(isinstance(value, ast.Constant) for value in call.args)
        }
        mentions = [node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)]
        readers += [
            f"{source.path}:{node.lineno}"
            for node in mentions
            if node.attr in ("environ", "environb", "getenv") and id(node) not in setters
        ]
    assert readers == []


def test_only_peers_speaks_to_other_processes_of_a_training() -> None:
    speakers = {
        source.path
        for source in ALL
        if source.imports_from("torch.distributed")
        or any(name.startswith("torch.distributed") for _, name in source.calls())
    }
    assert speakers == {"core/training/peers.py"}


def test_file_names_say_what_is_inside() -> None:
    assert [source.path for source in ALL if PurePosixPath(source.path).stem in VAGUE_NAMES] == []


def test_nothing_that_is_loaded_or_shown_can_run_code() -> None:
    faults = [place for source in ALL for place in source.imports_from(*CODE_LOADERS)]
    for source in ALL:
        for call, name in source.calls():
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            is_fault = (
                name in ("eval", "exec", "os.system", "os.popen")
                or (name in HTML_WRITERS and (name, source.path) != STYLED)
                or (name == "torch.load" and keywords.get("weights_only") != "True")
                or any(keywords.get(switch, "False") != "False" for switch in SWITCHES)
            )
            if is_fault:
                faults.append(f"{source.path}:{call.lineno} {name}")
    assert faults == []


def functions(source: Source) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The public functions and the public methods of public classes, with their dotted names."""
    found = []
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((node.name, node))
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            inner = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
            found += [(f"{node.name}.{item.name}", item) for item in inner]
    return [(name, node) for name, node in found if not node.name.startswith("_")]


def needs_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it lacks one; `forward` has torch's contract, which its class describes."""
    return not ast.get_docstring(node) and node.name != "forward"


def test_every_public_name_of_core_and_ui_is_documented() -> None:
    missing = [source.path for source in ALL if source.text.strip() and not ast.get_docstring(source.tree)]
    for source in (*CORE, *UI):
        missing += [f"{source.path} {name}" for name, node in functions(source) if needs_docstring(node)]
        classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
        missing += [
            f"{source.path} {node.name}"
            for node in classes
            if not node.name.startswith("_") and not ast.get_docstring(node)
        ]
    assert missing == []


def test_every_public_function_of_core_and_ui_is_annotated() -> None:
    bare = []
    for source in (*CORE, *UI):
        for name, node in functions(source):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
            bare += [
                f"{source.path} {name}({argument.arg})"
                for argument in arguments
                if argument.annotation is None and argument.arg not in ("self", "cls")
            ]
            if node.returns is None:
                bare.append(f"{source.path} {name} ->")
    assert bare == []


def test_files_stay_short() -> None:
    page_paths = {page.path for page in PAGES}
    long = [
        f"{source.path}: {lines} lines, at most {most}"
        for source in ALL
        for lines, most in [(source.text.count("\n"), 150 if source.path in page_paths else 300)]
        if lines > most
    ]
    assert long == []
