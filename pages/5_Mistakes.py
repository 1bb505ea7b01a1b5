"""Mistakes: what a checkpoint gets wrong, counted by class and shown picture by picture."""

import streamlit as st

from core.errors import ConvScopeError
from ui import cached, layout
from ui.evaluation import measuring, mistakes
from ui.evaluation.checkpoint_choice import checkpoint_choice

layout.page_header("Mistakes", "What a checkpoint gets wrong: click a cell to see exactly its images.")

try:
    dataset = cached.current_dataset()
    folder, checkpoint = checkpoint_choice(dataset)
    evaluation = measuring.evaluation(folder, checkpoint, dataset)
except ConvScopeError as error:
    layout.stop_with(str(error))

mistakes.figures(evaluation, checkpoint, dataset)

focus = mistakes.focus_controls(evaluation.classes)
grid = st.grid(columns=2, min_column_width=380, gap="medium")
with grid.cell():
    mistakes.confusion_matrix(evaluation, focus)
with grid.cell(row_span=2):
    mistakes.focus_gallery(evaluation, focus, dataset.test.images)
with grid.cell():
    st.subheader("Accuracy by class", anchor=False)
    mistakes.class_accuracies(evaluation)
