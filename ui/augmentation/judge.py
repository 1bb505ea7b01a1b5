"""What a careful reader would point out in the augmentation in hand, each with its remedy at a click."""

from collections import Counter
from dataclasses import replace

import streamlit as st

from core.augmentation import AugmentationSpec, find_problems
from core.data import Dataset
from core.findings import Finding, Severity
from ui import state
from ui.augmentation import edit
from ui.text import plain

SEVERITIES: dict[Severity, tuple[str, str]] = {
    "error": (":red[:material/error:]", "cannot run"),
    "warning": (":orange[:material/warning:]", "not what is meant"),
    "note": (":blue[:material/lightbulb:]", "worth a thought"),
}
SHOWN = "augment_findings_shown"
Findings = tuple[Finding[AugmentationSpec], ...]


def is_up_to_date(spec: AugmentationSpec, dataset: Dataset) -> bool:
    """Whether what `show_findings` showed last holds for `spec` too."""
    return _as_shown(_find(spec, dataset)) == st.session_state.get(SHOWN)


def show_findings(spec: AugmentationSpec, dataset: Dataset) -> None:
    """A card for each fault of `spec` on these images; nothing where there is none."""
    findings = _find(spec, dataset)
    st.session_state[SHOWN] = _as_shown(findings)
    if not findings:
        return
    with st.expander(_summary(findings), expanded=True, key="augment_findings"):
        for finding in findings:
            _card(spec, finding, dataset)


def _find(spec: AugmentationSpec, dataset: Dataset) -> Findings:
    return find_problems(spec, dataset.mean, dataset.std)


def _as_shown(findings: Findings) -> list[tuple[Finding[AugmentationSpec], bool]]:
    """What a card shows of each, which does not tell all that its remedy would make of the pipeline."""
    return [(replace(finding, remedied=None), finding.remedied is not None) for finding in findings]


def _summary(findings: Findings) -> str:
    """As in 1 warning, 1 note."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(
        f"{icon} {counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity, (icon, _) in SEVERITIES.items()
        if counts[severity]
    )


def _card(spec: AugmentationSpec, finding: Finding[AugmentationSpec], dataset: Dataset) -> None:
    icon, word = SEVERITIES[finding.severity]
    where = f"step {finding.index + 1}" if finding.index < len(spec.steps) else "last"
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{icon} **{where} · {plain(finding.name)}** :small[{word}]  \n{plain(finding.problem)}")
        st.caption(plain(finding.arithmetic))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/build: {plain(finding.remedy)}", width="stretch")
            if finding.remedied is not None:
                st.button(
                    "Apply",
                    key=f"augment_apply_{finding.kind}_{finding.index}",
                    help="Undo, above, takes it back.",
                    on_click=_apply,
                    args=(finding.kind, finding.index, dataset),
                )


def _apply(kind: str, index: int, dataset: Dataset) -> None:
    """Put right that fault of the pipeline in hand, which a control may have changed since."""
    for finding in _find(state.current_augmentation(), dataset):
        if (finding.kind, finding.index) == (kind, index) and finding.remedied is not None:
            state.set_augmentation(edit.named(finding.remedied))
    st.rerun()  # the steps too, which are no part of the findings
