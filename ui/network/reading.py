"""A network from a pasted summary table: what the table leaves open is asked, and nothing is guessed."""

from functools import partial

import streamlit as st

from core.errors import SpecError
from core.network import NetworkSpec, size_network
from core.network.spec import MAX_CHANNELS
from core.network.summary_rows import MAX_SIDE
from core.network.summary_table import SummaryReading, read_summary_table, resolve
from ui.network import reading_words, session
from ui.text import plain

LAYER, ACTIVATION, ENDING, RATE = (
    "network_export_layer_",
    "network_export_activation",
    "network_export_ending",
    "network_export_rate",
)


def table_view() -> None:
    """The form to paste a table into, and below it what the table leaves open."""
    _paste_form()
    text = st.session_state.get("network_export_read")
    if text is None:
        return
    sides = ("network_export_channels", "network_export_rows", "network_export_columns")
    channels, rows, columns = (st.session_state[key] for key in sides)
    try:
        reading = read_table(text, (channels, rows, columns))
    except SpecError as error:
        _say_refused(error)
        return
    _summary(reading)
    choices = _layer_choices(reading)
    activation, ending, rate = _step_choices(reading)
    answers = [choices.get(index) for index in reading.open_layers]
    answers += [0 if answer is not None else None for answer in (activation, ending)]
    answers += [0 if rate is not None else None] if reading.needs_dropout_rate else []
    num_open = answers.count(None)
    network = None
    if not num_open:
        try:
            network = resolve(
                reading, choices, activation=str(activation), ending=str(ending), dropout_rate=rate
            )
        except SpecError as error:
            _say_refused(error)
    _use_row(reading, network, num_open)


@st.cache_resource(max_entries=8, show_spinner=False)
def read_table(text: str, input_shape: tuple[int, int, int]) -> SummaryReading:
    """The reading of `text` for images (C, H, W), kept while its questions are answered."""
    return read_summary_table(text, input_shape)


def _paste_form() -> None:
    st.markdown(
        "Paste what torchsummary or torchinfo printed, such as the table of a README. It tells shapes and"
        " parameters; whatever fits them is offered, and you decide."
    )
    with st.form("network_export_paste", border=False):
        st.text_area(
            "A summary table",
            key="network_export_table",
            height=200,
            placeholder="        Layer (type)               Output Shape         Param #",
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _side("Channels of an image", "network_export_channels", 3, MAX_CHANNELS)
            _side("Height", "network_export_rows", 32, MAX_SIDE)
            _side("Width", "network_export_columns", 32, MAX_SIDE)
            st.form_submit_button(
                "Read this table",
                key="network_export_read_table",
                icon=":material/table_view:",
                on_click=_read,
            )


def _side(label: str, key: str, usual: int, most: int) -> None:
    st.number_input(label, 1, most, usual, 1, key=key, persist_state="session", width=170)


def _read() -> None:
    """Take the text that was sent; all that was answered for another one is forgotten."""
    st.session_state["network_export_read"] = st.session_state["network_export_table"]
    asked = [str(key) for key in st.session_state if str(key).startswith(LAYER)]
    for key in (*asked, ACTIVATION, ENDING, RATE):
        st.session_state[key] = None


def _say_refused(error: SpecError) -> None:
    st.error(f"{plain(str(error))}. The network in hand is kept.", icon=":material/block:")


def _summary(reading: SummaryReading) -> None:
    """What the table tells, and how much it leaves open."""
    num_params = sum(row.num_params for row in reading.rows)
    num_open = len(reading.open_layers)
    what = f"**{len(reading.layers)} layers, {num_params:,} parameters, {reading.num_classes} scores.**"
    fit = f"{reading.num_combinations:,} networks fit" if reading.num_combinations > 1 else "One network fits"
    st.markdown(f"{what} {fit}; {num_open} of the layers could be more than one thing.")
    if reading.passed_over:
        rows = ", ".join(plain(row.label) for row in reading.passed_over)
        st.caption(f"Taken for containers, because they hold and change nothing: {rows}.")


def _layer_choices(reading: SummaryReading) -> dict[int, int]:
    """A select box for every open layer; the answers so far, by layer."""
    if not reading.open_layers:
        return {}
    _plainest_row(reading)
    answers = {}
    for index in reading.open_layers:
        layer = reading.layers[index]
        answer = st.selectbox(
            reading_words.place(reading, index),
            list(range(len(layer.candidates))),
            index=None,
            key=f"{LAYER}{index}",
            format_func=partial(reading_words.option_text, layer),
            placeholder=f"{len(layer.candidates)} fit: choose",
            persist_state="session",
        )
        if answer is not None:
            answers[index] = answer
    told = [index for index in range(len(reading.layers)) if index not in reading.open_layers]
    if told:
        text = reading_words.layer_text
        lines = [
            f"{reading_words.place(reading, index)}: {text(reading.layers[index].candidates[0])}"
            for index in told
        ]
        st.caption("Told by the table: " + "; ".join(lines) + ".")
    return answers


def _plainest_row(reading: SummaryReading) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Take the plainest everywhere",
            key="network_export_plainest",
            icon=":material/checklist:",
            on_click=_take_plainest,
            args=(reading,),
        )
        st.caption(
            "Fills in, for every layer below without an answer, the most usual one that fits: odd kernels,"
            " usual padding, small strides and dilations. A start, not what the table says.",
            width="stretch",
        )


def _take_plainest(reading: SummaryReading) -> None:
    for index, choice in reading.plainest().items():
        if st.session_state.get(f"{LAYER}{index}") is None:
            st.session_state[f"{LAYER}{index}"] = choice


def _step_choices(reading: SummaryReading) -> tuple[str | None, str | None, float | None]:
    """The activations and the ending that have no row, and the rate of dropout; None while open."""
    activation = _step_choice(
        "Activations without a row", ACTIVATION, reading.activations, reading_words.ACTIVATIONS
    )
    ending = _step_choice(
        "After the last layer, without a row", ENDING, reading.endings, reading_words.ENDINGS
    )
    rate = None
    if reading.needs_dropout_rate:
        rate = st.number_input(
            "Rate of every dropout",
            0.0,
            0.99,
            None,
            0.01,
            key=RATE,
            placeholder="The table does not tell: give one, as in 0.1",
            persist_state="session",
        )
    return activation, ending, rate


def _step_choice(label: str, key: str, options: tuple[str, ...], titles: dict[str, str]) -> str | None:
    if len(options) == 1:  # rows tell it
        return options[0]
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=lambda option: titles[option],
        placeholder="The table does not tell: choose",
        persist_state="session",
    )


def _use_row(reading: SummaryReading, network: NetworkSpec | None, num_open: int) -> None:
    """The way on, and what the answers come to or how many are missing."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Use this network",
            key="network_export_use",
            type="primary",
            on_click=_use,
            args=(network,),
            disabled=network is None,
        )
        if network:
            sizing = size_network(network)
            field = sizing.receptive_field_before_pooling
            st.markdown(f"{sizing.num_params:,} parameters, a field of {field} px before pooling.")
        elif num_open:
            st.markdown(f"{num_open} still to be answered.")


def _use(network: NetworkSpec) -> None:
    """Put the network in hand, and go to where it can be edited."""
    if session.change_network(lambda _: network):
        st.session_state["network_view"] = "Assemble"
        st.toast("The table's network is in hand; Undo brings back the one before.", icon=":material/check:")
