"""Briefs: what an assignment asks of a network, as data, and the verdict on each of its rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from core.network.reading import Reading, read_network
from core.network.required import REQUIRED, Required
from core.network.spec import NetworkSpec
from core.spec import describe

Sentence = Annotated[str, Field(min_length=1, max_length=200)]


@describe
class Brief:
    """What an assignment asks; what is None or empty is not asked."""

    title: str = Field(min_length=1, max_length=80)
    num_params_below: int | None = Field(default=None, ge=1)
    """The number of parameters that must not be reached."""
    receptive_field_above: int | None = Field(default=None, ge=0)
    """Input pixels, before the pooling to 1×1, that must be exceeded."""
    num_max_pools: int | None = Field(default=None, ge=0)
    """Exactly so many `max_pool` layers; 0 forbids them."""
    required: tuple[Required, ...] = ()
    """What must be in the network."""
    also: tuple[Sentence, ...] = Field(default=(), max_length=20)
    """Rules in words, about training or augmentation, that the network alone cannot keep."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a network keeps one rule of a brief."""

    rule: str
    is_met: bool | None
    """None for a rule that the network alone does not show."""
    reason: str
    """With the network's own numbers and layers."""


@cache
def briefs() -> Mapping[str, Brief]:
    """The assignments of the course projects, by the seeds that answer them."""
    separable_dilated: tuple[Required, ...] = ("depthwise_separable", "dilated_conv")
    return MappingProxyType(
        {
            "seeds_001_003_004": Brief(
                title="Seeds 001, 003 and 004: no max pooling, a wide field, few parameters",
                num_params_below=200_000,
                receptive_field_above=44,
                num_max_pools=0,
                required=("downsampling_conv", *separable_dilated, "global_avg_pool"),
                also=(
                    "at least 85 % of the test images right",
                    "augmentation with horizontal flip, shift-scale-rotate and coarse dropout",
                ),
            ),
            "seed_002": Brief(
                title="Seed 002: three max pools, under a million parameters",
                num_params_below=1_000_000,
                num_max_pools=3,
                required=separable_dilated,
                also=("more than 80 % of the validation images right",),
            ),
            "seed_000": Brief(
                title="Seed 000: depthwise-separable and dilated convolutions", required=separable_dilated
            ),
        }
    )


def check_brief(spec: NetworkSpec, brief: Brief) -> tuple[Verdict, ...]:
    """A verdict on every rule; a network that cannot be sized keeps none that needs its sizing."""
    reading = read_network(spec)
    verdicts = []
    if brief.num_params_below is not None:
        verdicts.append(_check_params(reading, brief.num_params_below))
    if brief.receptive_field_above is not None:
        verdicts.append(_check_field(reading, brief.receptive_field_above))
    if brief.num_max_pools is not None:
        verdicts.append(_check_max_pools(spec, brief.num_max_pools))
    for required in dict.fromkeys(brief.required):
        rule, find = REQUIRED[required]
        verdicts.append(Verdict(rule, *find(reading)))
    unseen = "the network alone does not show it"
    return (*verdicts, *(Verdict(rule, None, unseen) for rule in brief.also))


def _check_params(reading: Reading, bound: int) -> Verdict:
    num_params = sum(row.num_params for row in reading.rows)
    rule = f"fewer than {bound:,} parameters"
    if reading.misfit is not None:
        return Verdict(rule, False, _unsized(reading))
    return Verdict(rule, num_params < bound, f"{num_params:,} parameters, asked fewer than {bound:,}")


def _check_field(reading: Reading, bound: int) -> Verdict:
    rule = f"a receptive field above {bound} pixels before pooling"
    last = reading.last_before_pooling
    if reading.misfit is not None and last == len(reading.rows) - 1:
        return Verdict(rule, False, _unsized(reading))
    field = reading.field_before(last + 1)
    return Verdict(rule, field > bound, f"receptive field {field}, asked more than {bound}")


def _check_max_pools(spec: NetworkSpec, number: int) -> Verdict:
    names = [layer.name for layer in spec.layers if layer.op == "max_pool"]
    rule = "no max pooling" if number == 0 else f"exactly {number} max pool{'s' if number > 1 else ''}"
    found = f"{len(names)} max pool{'s' if len(names) > 1 else ''}: {', '.join(names)}"
    return Verdict(rule, len(names) == number, found if names else "no max pool")


def _unsized(reading: Reading) -> str:
    return f"the network cannot be sized: {reading.misfit}"
