"""`presets`: list what there is to start from, or print one as JSON, to edit and to give back."""

import argparse
import json
from collections.abc import Callable, Mapping

from core.augmentation import presets as augmentation_presets
from core.errors import SpecError
from core.network import presets as network_presets
from core.spec import to_dict
from core.training import recipe_presets

KINDS: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "network": network_presets,
    "augmentation": augmentation_presets,
    "recipe": recipe_presets,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `presets`."""
    parser.add_argument("kind", nargs="?", choices=tuple(KINDS), help="only these")
    parser.add_argument("key", nargs="?", help="print this one as JSON")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """List the presets, or show one."""
    kinds = [arguments.kind] if arguments.kind else list(KINDS)
    if arguments.key:
        presets = KINDS[arguments.kind]()
        if arguments.key not in presets:
            raise SpecError(f"{arguments.kind} must be one of {', '.join(presets)}; got {arguments.key!r}")
        show(json.dumps(to_dict(presets[arguments.key]), indent=2, ensure_ascii=False))
    elif arguments.json:
        listing = {kind: {key: to_dict(spec) for key, spec in KINDS[kind]().items()} for kind in kinds}
        show(json.dumps(listing, ensure_ascii=False))
    else:
        for kind in kinds:
            for key, spec in KINDS[kind]().items():
                show(f"{kind:<14}{key:<26}{getattr(spec, 'name', '')}".rstrip())
    return 0
