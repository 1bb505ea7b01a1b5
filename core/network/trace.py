"""A network spec from a torch module, by tracing what its `forward` does.

Shapes of tensors are (N, C, H, W) or (N, C). Nothing is guessed: what a spec cannot say is refused with the
path of the module, and what is said is built and must put out the same scores as the module.
"""

from copy import deepcopy

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import TraceError

from core.errors import SpecError
from core.network.build import Add, Flatten, Linear, build_network
from core.network.dropout import Dropout
from core.network.sizing import size_network
from core.network.spec import LayerSpec, NetworkSpec
from core.network.trace_draft import Draft, name_layers, prune
from core.network.trace_reader import BATCH, Reader

FAULTS = (RuntimeError, TypeError, ValueError, AttributeError, LookupError, AssertionError, ArithmeticError)
"""What a module that is traced, copied or run may raise."""


def from_module(module: nn.Module, input_shape: tuple[int, int, int], name: str = "") -> NetworkSpec:
    """The spec of a module that is one line of layers with residual adds, for images (C, H, W).

    `name` is the network's title, by default the name of the module's class. The module itself is left as
    it is: a copy of it on the CPU is traced and run once. Raises `SpecError` naming the module's path and
    the reason where a spec cannot say what it does, and `SizingError` where the network does not end in
    one score a class.
    """
    title = name or type(module).__name__[:60]
    # Refuses a title or a shape that no network may have, before anything is run.
    NetworkSpec(name=title, layers=(LayerSpec(op="global_avg_pool"),), input_shape=input_shape)
    copied, graph = _trace(module, title)
    reader = Reader(copied, graph)
    images = torch.randn(BATCH, *input_shape, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            scores = reader.run(images)
    except FAULTS as fault:
        raise SpecError(f"{title} does not run on images of shape {input_shape}: {_say(fault)}") from None
    _refuse_unused(copied, reader.used)
    drafts = prune(reader.drafts)
    layers = name_layers(drafts)
    spec = NetworkSpec(name=title, layers=layers, input_shape=input_shape, num_classes=scores.shape[1])
    size_network(spec)
    _refuse_other_scores(spec, drafts, images, scores)
    return spec


def _say(fault: Exception) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__


class _Tracer(fx.Tracer):
    """Sees every module of torch and of `core.network.build` as one call, and through all others."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in (Add, Flatten, Linear, Dropout) or super().is_leaf_module(m, module_qualified_name)


def _trace(module: nn.Module, title: str) -> tuple[nn.Module, fx.Graph]:
    """A copy of the module in evaluation, and what its `forward` does there."""
    for path, part in module.named_modules():
        if part._forward_hooks or part._forward_pre_hooks:
            raise SpecError(f"{path or title}: it has hooks, which a spec cannot say; remove them")
    try:
        copied = deepcopy(module).to("cpu", torch.float32)
        training = _Tracer().trace(copied.train())
        graph = _Tracer().trace(copied.eval())
    except (TraceError, *FAULTS) as fault:
        raise SpecError(f"{title} cannot be traced: {_say(fault)}; write forward without branches") from None
    calls, training_calls = ([(node.op, node.target) for node in each.nodes] for each in (graph, training))
    if calls != training_calls:
        raise SpecError(f"{title}: forward does something else in training, which a spec cannot say")
    return copied, graph


def _refuse_unused(module: nn.Module, used: set[str]) -> None:
    """Weights that the spec would lose, or give to two layers."""
    owners: dict[int, str] = {}
    for path, part in module.named_modules():
        parameters = [parameter for parameter in part._parameters.values() if parameter is not None]
        if parameters and path not in used:
            count = sum(parameter.numel() for parameter in parameters)
            raise SpecError(
                f"{path or type(module).__name__}: forward never calls it, so that its {count:,} parameters"
                " would be lost; delete it from the module first"
            )
        for parameter in parameters:
            if id(parameter) in owners:
                raise SpecError(f"{path}: it shares its weights with {owners[id(parameter)]}; a spec cannot")
            owners[id(parameter)] = path


def _refuse_other_scores(spec: NetworkSpec, drafts: list[Draft], images: Tensor, scores: Tensor) -> None:
    """The network of the spec, with the module's weights, must put out the module's scores."""
    with torch.device("meta"):
        network = build_network(spec).eval()
    state: dict[str, Tensor] = {}
    for (name, layer), draft in zip(network.named_children(), drafts, strict=True):
        for (part_name, _), module in zip(layer.named_children(), draft.modules, strict=True):
            own = {} if module is None else module.state_dict()
            state |= {f"{name}.{part_name}.{key}": tensor for key, tensor in own.items()}
    network.load_state_dict(state, assign=True)
    with torch.no_grad():
        ours, theirs = network(images), scores.flatten(1)
    scale = float(theirs.abs().max())
    if not torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4 * scale, equal_nan=True):
        raise SpecError(
            f"{spec.name}: the layers that were read put out other scores than the module, so it does"
            " something that tracing does not show, such as an in-place step on a map that is added later"
        )
