"""`data`: list the datasets, register a folder or archive of pictures, or download CIFAR-10."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from core import data
from core.data import cifar10
from core.errors import DataError

DATA_ROOT = Path("data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `data`."""
    parser.add_argument(
        "--data-root", type=Path, default=DATA_ROOT, help="where datasets are kept (%(default)s)"
    )
    parser.add_argument("action", choices=tuple(ACTIONS), help="what to do")
    parser.add_argument(
        "path", nargs="?", type=Path, help="for register: holds train/<class>/*.png and test/…"
    )
    parser.add_argument("--url", help="for download: another place; the checksum must be the official one")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Do the action."""
    ACTIONS[arguments.action](arguments, show)
    return 0


def _list(arguments: argparse.Namespace, show: Callable[[str], None]) -> None:
    sources = data.available(arguments.data_root)
    if arguments.json:
        rows = [
            {"name": source.name, "title": source.title, "is_ready": source.is_ready} for source in sources
        ]
        show(json.dumps(rows, ensure_ascii=False))
    else:
        for source in sources:
            show(f"{source.name:<24}{'ready' if source.is_ready else 'not here':<10}{source.title}")


def _register(arguments: argparse.Namespace, show: Callable[[str], None]) -> None:
    if arguments.path is None:
        raise DataError("register needs the path of a folder or archive; name it after register")
    name = data.register_folder(arguments.path, arguments.data_root)
    show(json.dumps({"name": name}) if arguments.json else f"registered as {name}")


def _download(arguments: argparse.Namespace, show: Callable[[str], None]) -> None:
    told = 0
    for progress in cifar10.download(arguments.data_root, url=arguments.url):
        megabytes = progress.bytes_done // 1_000_000
        if megabytes >= told + 10 and not arguments.json:
            told = megabytes
            total = f" of {progress.bytes_total / 1e6:.0f}" if progress.bytes_total else ""
            show(f"{megabytes}{total} MB")
    show(json.dumps({"name": "cifar10"}) if arguments.json else "cifar10 is ready")


ACTIONS = {"list": _list, "register": _register, "download": _download}
