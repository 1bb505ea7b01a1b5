"""Convolutions: what each kind of convolution computes, unit by unit, whom it connects and what it costs."""

import streamlit as st

from core.errors import ConvScopeError
from core.network import lesson, size_network
from core.network.lesson_grids import make_pattern, shrink_image, turn_into_channels
from ui import cached, layout
from ui.gallery import enlarge
from ui.lesson import form, text
from ui.lesson.connections import connection_chart, connection_words
from ui.lesson.costs import show_costs
from ui.lesson.stage import show_stage
from ui.text import plain

layout.page_header(
    "Convolutions", "Step through what an operation computes, whom it connects and what it costs."
)

operation = form.operation_choice()
explanation = text.EXPLANATIONS[operation]
st.markdown(explanation.what)
try:
    dataset = cached.current_dataset()
except ConvScopeError as error:
    layout.stop_with(str(error), "Home", "Choose another dataset")
test = dataset.test

with st.grid(min_column_width=118, gap="small"):
    chosen = form.settings_form(operation)
    layers = lesson.make_layers(chosen)
    picture = form.picture_form(layers, len(test.images))
    if picture.pattern == form.IMAGE:
        image = test.images[picture.image]
        words = f"Test image {picture.image}: {dataset.classes[test.labels[picture.image]]}"
        st.image(enlarge(image), caption=plain(words), width=118, alt=words)
        grid = shrink_image(image, chosen.size)
    else:
        grid = make_pattern(picture.pattern, chosen.size)

try:
    sizing = size_network(lesson.make_network(chosen, layers))
    all_weights = form.make_all_weights(layers, chosen.in_channels, picture)
except ConvScopeError as error:
    layout.stop_with(str(error))

shown = form.layer_choice(layers)
layer, maps = layers[shown], turn_into_channels(grid, chosen.in_channels)
for earlier, weights in zip(layers[:shown], all_weights, strict=False):
    maps = lesson.run_layer(earlier, maps, weights)

with st.container(horizontal=True, vertical_alignment="bottom"):
    num_channels, *shape = sizing.layers[shown].output_shape
    channel = form.channel_choice("channel", "Output channel shown", range(num_channels))
    read = lesson.channels_read(layer, len(maps), channel)
    source = form.channel_choice("source", "Input channel shown", read)
    row, column = form.position_choice(*shape)
output = lesson.feature_map(layer, maps, all_weights[shown], channel)
unit = lesson.trace_unit(layer, maps, all_weights[shown], channel, row, column)
show_stage(layer, maps, output, unit, source)

num_unread = int((lesson.count_reads(layers[0], chosen.size) == 0).sum())
for note in text.find_notes(chosen, sizing, num_unread):
    st.info(note, icon=":material/lightbulb:")

groups = lesson.find_groups(layers, chosen.in_channels)
if len(groups) > 1 or num_channels * chosen.in_channels > 1:
    st.subheader("Which channels feed which", anchor="channels")
    chart, words = connection_chart(layers, groups, shown, channel), connection_words(groups)
    st.vega_lite_chart(spec=chart, width="content", key="convolutions_channels_chart", alt=words)
    st.caption(f"{words}.")

st.subheader("What it costs and sees", anchor="cost")
show_costs(chosen, sizing)

st.subheader("Where people go wrong", anchor="traps")
st.markdown(explanation.traps)
