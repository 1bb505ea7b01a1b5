"""Demo: what a checkpoint says of your own picture, or of test images."""

import streamlit as st

from core.errors import ConvScopeError
from ui import cached, layout
from ui.evaluation import demo
from ui.evaluation.checkpoint_choice import checkpoint_choice

layout.page_header(
    "Demo", "What a trained network says of your own picture, or of images it was not trained on."
)

try:
    dataset = cached.current_dataset()
    folder, checkpoint = checkpoint_choice(dataset)
    source = st.segmented_control(
        "Picture",
        [demo.TEST, demo.OWN],
        default=demo.TEST,
        required=True,
        key="demo_source",
        bind="query-params",
    )
    picture = (
        demo.uploaded_picture() if source == demo.OWN else demo.drawn_picture(dataset, folder, checkpoint)
    )
    if picture is not None:
        demo.answer(picture, folder, checkpoint)
except ConvScopeError as error:
    layout.stop_with(str(error))

st.info(demo.honesty(checkpoint), icon=":material/info:")
