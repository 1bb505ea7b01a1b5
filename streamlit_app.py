"""Home: which images, which models and which runs are at hand, and one link for each job."""

import streamlit as st

from core.errors import ConvScopeError
from ui import cached, home, layout

layout.page_header(
    "ConvScope",
    "Tune augmentation by eye, design and size convolutional networks, train them, browse their mistakes.",
)

home.job_links()

st.subheader("Images in use", anchor="images")
try:
    dataset = cached.current_dataset()
except ConvScopeError as error:
    st.error(str(error), icon=":material/error:")
else:
    home.dataset_card(dataset)
home.other_datasets()

st.subheader("Checkpoints", anchor="checkpoints")
home.checkpoint_table()

st.subheader("Runs", anchor="runs")
home.run_table()

st.caption(home.device_line())
