"""`python -m core <verb>`: everything that the app does, without the app."""

import argparse
import os
import sys
from collections.abc import Sequence

from core.cli import data, estimate, evaluate, evidence, measure, presets, rate, size, strength, train
from core.errors import ConvScopeError

VERBS = {
    "train": (train, "train a network in the foreground; Ctrl-C stops it so that it can go on"),
    "estimate": (estimate, "what a run would take in time and memory, from a few timed steps"),
    "rate": (rate, "sweep the learning rate on the untrained network, and suggest one"),
    "evaluate": (evaluate, "measure a checkpoint on the test images"),
    "strength": (strength, "how a checkpoint fares as an augmentation step grows stronger"),
    "evidence": (evidence, "how much of what a checkpoint goes by lies under an augmentation's holes"),
    "size": (size, "what every layer of a network costs and sees"),
    "measure": (measure, "time networks on this machine, side by side, and take their peak memory"),
    "presets": (presets, "list networks, augmentations and recipes to start from, or print one as JSON"),
    "data": (data, "list, register and download datasets"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says: 0 if it worked, 1 if a run failed, 2 if something was refused."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (verb, help_text) in VERBS.items():
        verb_parser = verbs.add_parser(name, help=help_text, description=verb.__doc__)
        verb_parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
        verb.add_arguments(verb_parser)
    parsed = parser.parse_args(arguments)
    parsed.environment = os.environ  # where torchrun tells each of its processes which one it is
    try:
        code: int = VERBS[parsed.verb][0].run(parsed, lambda line: print(line, flush=True))
        return code
    except ConvScopeError as error:
        print(f"{parser.prog} {parsed.verb}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our lines has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    ending = main()
    if "WORLD_SIZE" in os.environ:  # torchrun's: a thread of gloo may abort Python's own way out (seen once)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ending)
    sys.exit(ending)
