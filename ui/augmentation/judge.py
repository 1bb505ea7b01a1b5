"""What a careful reader would point out in the augmentation in hand, each with its remedy at a click."""

from collections import Counter

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


def is_up_to_date(spec: AugmentationSpec, dataset: Dataset) -> bool:
    """Whether what `show_findings` showed last holds for `spec` too."""
    return find_problems(spec, dataset.mean, dataset.std) == st.session_state.get(SHOWN)


def show_findings(spec: AugmentationSpec, dataset: Dataset) -> None:
    """A card for each fault of `spec` on these images; nothing where there is none."""
    findings = find_problems(spec, dataset.mean, dataset.std)
    st.session_state[SHOWN] = findings
    if not findings:
        return
    with st.expander(_summary(findings), expanded=True, key="augment_findings"):
        for finding in findings:
            _card(spec, finding)


def _summary(findings: tuple[Finding[AugmentationSpec], ...]) -> str:
    """As in 1 warning, 1 note."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(
        f"{icon} {counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity, (icon, _) in SEVERITIES.items()
        if counts[severity]
    )


def _card(spec: AugmentationSpec, finding: Finding[AugmentationSpec]) -> None:
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
                    help="To go back to a preset, choose it above again.",
                    on_click=_apply,
                    args=(finding.remedied,),
                )


def _apply(remedied: AugmentationSpec) -> None:
    state.set_augmentation(edit.named(remedied))
    st.rerun()  # the steps too, which are no part of the findings
