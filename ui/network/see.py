"""The view that shows what a unit sees: on an image, path by path, measured, and every number explained."""

import numpy as np
import streamlit as st

from core.data import Dataset
from core.errors import ConvScopeError, SizingError
from core.network import LayerSizing, NetworkSpec, find_problems
from core.network.coverage import Box, count_field_paths, count_image_paths, field_box, follow_fields
from ui import cached
from ui.layout import count, percent
from ui.network.see_charts import MAX_CELLS, heat_map, shapes_chart
from ui.network.see_choice import Unit, unit_choice
from ui.network.see_measured import show_measured
from ui.network.see_picture import field_picture, field_words, fit_images
from ui.network.see_proofs import show_proofs
from ui.text import plain

COLUMN_WIDTH = 370
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view of `spec`, sized as far as it works: up to the layer that `misfit` names."""
    if misfit:
        st.warning(str(misfit), icon=":material/warning:")
    if not sized:
        return
    dataset = _dataset()
    unit = unit_choice(sized, len(dataset.test) if dataset else 0)
    box = field_box(follow_fields(spec, sized)[spec.layers[unit.index].name], unit.row, unit.column)
    with st.grid(min_column_width=COLUMN_WIDTH, gap="medium"):
        with st.container():
            _field(spec, box, dataset, unit)
        with st.container():
            _paths(spec, sized, box, unit)
    _gridding(spec, sized[unit.index])
    show_proofs(spec, sized, unit.index)
    if dataset:
        show_measured(spec, sized, unit, box, dataset)
    _shapes(spec, sized, unit.index)


def _dataset() -> Dataset | None:
    """The dataset in use; said why not where it cannot be read."""
    try:
        return cached.current_dataset()
    except ConvScopeError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _field(spec: NetworkSpec, box: Box, dataset: Dataset | None, unit: Unit) -> None:
    """The receptive field on a test image."""
    st.subheader("Receptive field on an image", anchor="on-image")
    rows, columns = spec.input_shape[1:]
    words = field_words(box, rows, columns)
    if dataset is None:
        st.markdown(f"{words}.")
        return
    image = fit_images(dataset.test.images[unit.image : unit.image + 1], rows, columns)[0]
    name = plain(dataset.classes[dataset.test.labels[unit.image]])
    picture = field_picture(image, box)
    st.image(picture, width=picture.shape[1], alt=words, output_format="PNG")
    st.caption(f"{words}. Framed: what the unit sees; hatched: padding. Test image {unit.image}, {name}.")


def _paths(spec: NetworkSpec, sized: tuple[LayerSizing, ...], box: Box, unit: Unit) -> None:
    """How many paths lead from every pixel of the field to the unit."""
    st.subheader("Paths from each pixel to the unit", anchor="paths")
    row = sized[unit.index]
    if box.area > MAX_CELLS:
        st.info(
            f"The field has {count(box.area)} pixels, but at most {count(MAX_CELLS)} are drawn one by one. "
            f"Paths reach {percent(row.coverage)} of them.",
            icon=":material/info:",
        )
        return
    counts = count_field_paths(spec, sized, unit.index)
    reached = int(np.count_nonzero(counts))
    words = f"{percent(row.coverage)} of the field is reached, {count(reached)} of {count(box.area)} pixels"
    image = Box(0, 0, *spec.input_shape[1:])
    st.vega_lite_chart(
        spec=heat_map(counts, box, box, image, "paths to the unit, log scale", is_log=True),
        width="content",
        key="network_see_paths",
        alt=f"{words}, by 1 to {_paths_text(counts.max())} paths each",
    )
    arriving = count_image_paths(spec, sized, unit.index, unit.row, unit.column).sum()
    lost = percent(1 - arriving / counts.sum())
    st.caption(
        f"{words}; orange: no path. Of {_paths_text(counts.sum())} paths to this unit {lost} end in padding, "
        "of the image or of a map on the way. Channels are left out. Framed: the field; dashed: the image."
    )


def _gridding(spec: NetworkSpec, row: LayerSizing) -> None:
    """What to do about holes in the field, where dilations are to blame."""
    if row.coverage == 1:
        return
    for finding in find_problems(spec):
        if finding.kind == "gridding":
            st.info(
                f"**{plain(finding.name)}**: {plain(finding.problem)} {plain(finding.arithmetic)} "
                f"{plain(finding.remedy)}",
                icon=":material/grid_off:",
            )


def _shapes(spec: NetworkSpec, sized: tuple[LayerSizing, ...], chosen: int) -> None:
    st.subheader("Feature maps through the network", anchor="maps")
    shapes = ", ".join(f"{row.name} {'×'.join(map(str, row.output_shape))}" for row in sized)
    st.vega_lite_chart(
        spec=shapes_chart(spec, sized, chosen),
        width="stretch",
        key="network_see_shapes",
        alt=f"Channels × rows × columns: {shapes}",
    )
    st.caption("A block is as high as its map, and as wide as its channels are many; a vector is a dash.")


def _paths_text(number: float) -> str:
    """A number of paths, in full as long as it can be read."""
    if number < 1e12:
        return count(int(number))
    digits, exponent = f"{number:.1e}".split("e+")
    return f"{digits} · 10{exponent.lstrip('0').translate(SUPERSCRIPT)}"
