"""A saved network comes back equal; no name leads out of the folder, no damaged file breaks the list."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SpecError
from core.network import presets
from core.network.library import delete_network, list_networks, load_network, save_network
from core.spec import to_json

SPEC = presets()["seed_001"]


@pytest.mark.parametrize("key", presets())
def test_a_saved_network_comes_back_equal(tmp_path: Path, key: str) -> None:
    spec = presets()[key]
    assert load_network(save_network(spec, spec.name, tmp_path), tmp_path) == spec


def test_the_name_given_is_the_networks_own(tmp_path: Path) -> None:
    key = save_network(SPEC, "  Mine, wider  ", tmp_path)
    assert load_network(key, tmp_path) == replace(SPEC, name="Mine, wider")


@pytest.mark.parametrize(
    "name",
    [
        "../../escape",
        "/etc/passwd",
        "..",
        ".hidden",
        "a\\b",
        "C:\\x",
        "сеть",
        "🔬",
        "a/b",
        "x" * 60,
        "a\x00b",
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deep" / "networks"
    key = save_network(SPEC, name, folder)
    assert [path.name for path in folder.iterdir()] == [f"{key}.json"]
    assert [path.name for path in tmp_path.rglob("*.json")] == [f"{key}.json"]
    assert load_network(key, folder).name == name


def test_the_same_name_replaces_and_another_name_does_not(tmp_path: Path) -> None:
    first = save_network(SPEC, "My net", tmp_path)
    assert save_network(presets()["seed_002"], "My net", tmp_path) == first
    second = save_network(SPEC, "my-net", tmp_path)
    assert second != first
    assert [saved.network.layers for saved in list_networks(tmp_path) if saved.network] == [
        presets()["seed_002"].layers,
        SPEC.layers,
    ]


def test_a_damaged_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{")
    assert save_network(SPEC, "mine", tmp_path) == "mine_2"
    assert (tmp_path / "mine.json").read_text() == "{"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_that_no_network_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match="name"):
        save_network(SPEC, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_networks_are_listed_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("b", "C", "a"):
        save_network(SPEC, name, tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".b.json.writing-1").write_text("{")
    (tmp_path / "Not A Key.json").write_text(to_json(SPEC))
    assert [saved.network.name for saved in list_networks(tmp_path) if saved.network] == ["a", "b", "C"]
    assert len(list_networks(tmp_path)) == 3


def test_without_a_folder_there_are_no_networks(tmp_path: Path) -> None:
    assert list_networks(tmp_path / "missing") == ()


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "this is not JSON"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b'{"name": "x", "layers": []}', "layers"),
        (b" " * 300_000, "at most 200,000 bytes"),
    ],
)
def test_a_damaged_file_is_listed_with_its_problem(tmp_path: Path, content: bytes, problem: str) -> None:
    save_network(SPEC, "good", tmp_path)
    (tmp_path / "bad.json").write_bytes(content)
    bad, good = list_networks(tmp_path)
    assert (good.key, good.problem) == ("good", "")
    assert (bad.key, bad.network) == ("bad", None)
    assert bad.problem.startswith("bad.json: ")
    assert problem in bad.problem
    with pytest.raises(SpecError, match=r"bad\.json: "):
        load_network("bad", tmp_path)


def test_what_cannot_be_read_is_listed_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "missing")
    assert [saved.network for saved in list_networks(tmp_path)] == [None, None]
    assert all("cannot be read" in saved.problem for saved in list_networks(tmp_path))


@pytest.mark.parametrize("key", ["../secret", "", ".", "a/b", "A", "a.b", "x" * 61])
def test_a_key_that_is_none_is_neither_read_nor_deleted(tmp_path: Path, key: str) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(to_json(SPEC))
    folder = tmp_path / "networks"
    folder.mkdir()
    for use in (load_network, delete_network):
        with pytest.raises(SpecError, match="key is made of"):
            use(key, folder)
    assert secret.exists()


def test_a_deleted_network_is_gone_and_deleting_again_does_no_harm(tmp_path: Path) -> None:
    key = save_network(SPEC, "mine", tmp_path)
    delete_network(key, tmp_path)
    delete_network(key, tmp_path)
    assert list_networks(tmp_path) == ()
    with pytest.raises(SpecError, match=r"mine\.json: cannot be read"):
        load_network(key, tmp_path)


def test_a_place_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=r"cannot save there"):
        save_network(SPEC, "mine", tmp_path / "file")
    assert list_networks(tmp_path / "file") == ()


def test_an_interrupted_save_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = save_network(SPEC, "mine", tmp_path)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpecError, match="No space left"):
        save_network(presets()["seed_002"], "mine", tmp_path)
    assert load_network(key, tmp_path).layers == SPEC.layers
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
