"""`measure`: time networks on this machine, side by side, and take their peak memory."""

import argparse
import json
import os
from collections.abc import Callable

from core.cli.specs import read_spec
from core.network import NetworkSpec, presets
from core.network.measured import Measurement, Measurements, MeasureSettings
from core.spec import to_dict

COLUMNS = (
    f"{'network':<40}{'params':>11}{'MACs':>14}{'forward':>10}{'backward':>10}{'ratio':>7}{'peak MiB':>10}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `measure`."""
    standard = MeasureSettings()
    threads = max(1, (os.cpu_count() or 1) - 1)
    parser.add_argument(
        "networks", nargs="+", help="presets' keys or JSON files; ratios are against the first"
    )
    parser.add_argument(
        "--batch-size", type=int, default=standard.batch_size, help="images a step (%(default)s)"
    )
    parser.add_argument(
        "--repetitions", type=int, default=standard.repetitions, help="steps of each network (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=threads, help="CPU threads (%(default)s)")
    parser.add_argument("--device", default=standard.device, help="cpu, cuda, cuda:1, … (%(default)s)")
    parser.add_argument("--seed", type=int, default=standard.seed, help="of weights and images (%(default)s)")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the median milliseconds of a batch and the peak memory; as JSON also how far it is."""
    specs = [read_spec(NetworkSpec, presets(), given) for given in arguments.networks]
    settings = MeasureSettings(
        batch_size=arguments.batch_size,
        repetitions=arguments.repetitions,
        threads=arguments.threads,
        device=arguments.device,
        seed=arguments.seed,
    )
    from core.network.measure import measure

    for event in measure(specs, settings):
        if isinstance(event, Measurements):
            if arguments.json:
                show(json.dumps(to_dict(event, with_defaults=True), ensure_ascii=False))
            else:
                _show_table(event, show)
        elif arguments.json:
            show(json.dumps({"done": event.done, "total": event.total}))
    return 0


def _show_table(measurements: Measurements, show: Callable[[str], None]) -> None:
    settings, conditions = measurements.settings, measurements.conditions
    show(COLUMNS)
    for network in measurements.networks:
        show(_row(network, measurements.networks[0]))
    show(
        f"median milliseconds of {settings.repetitions} steps of {settings.batch_size} images, float32;"
        f" {conditions.hardware}, {settings.threads} threads, torch {conditions.torch};"
        f" memory: {conditions.memory}"
    )


def _row(network: Measurement, first: Measurement) -> str:
    times = f"{network.forward:>10.1f}{network.backward:>10.1f}{network.times_slower(first):>7.2f}"
    counts = f"{network.num_params:>11,}{network.macs:>14,}"
    return f"{network.name[:39]:<40}{counts}{times}{network.peak_bytes / 2**20:>10.1f}"
