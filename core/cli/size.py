"""`size`: what every layer of a network costs and sees, without building it."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from core.cli.specs import read_spec
from core.network import LayerSizing, NetworkSpec, presets, size_network

COLUMNS = f"{'layer':<20}{'op':<17}{'output':>12}{'params':>11}{'MACs':>15}{'field':>7}{'stride':>8}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `size`."""
    parser.add_argument("network", help="a preset's key or a JSON file")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the sizes."""
    spec = read_spec(NetworkSpec, presets(), arguments.network)
    sizing = size_network(spec)
    if arguments.json:
        layers = [layer._asdict() for layer in sizing.layers]
        show(json.dumps({"name": spec.name, **asdict(sizing), "layers": layers}))
        return 0
    show(spec.name)
    show(COLUMNS)
    for layer in sizing.layers:
        show(_row(layer))
    show(f"parameters {sizing.num_params:,} · multiply-adds {sizing.macs:,} an image")
    before, after = sizing.receptive_field_before_pooling, sizing.receptive_field
    show(f"receptive field {before} px before pooling, {after} px with it, of {spec.input_shape[1]} px")
    return 0


def _row(layer: LayerSizing) -> str:
    shape = "×".join(str(length) for length in layer.output_shape)
    counts = f"{layer.num_params:>11,}{layer.macs:>15,}{layer.receptive_field:>7}{layer.effective_stride:>8}"
    return f"{layer.name:<20}{layer.op:<17}{shape:>12}{counts}"
