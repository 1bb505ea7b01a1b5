"""The view in which a network is judged: by the rules of a brief, and by what a careful reader would find."""

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from core.errors import SizingError
from core.findings import Finding, Severity
from core.network import Brief, LayerSizing, NetworkSpec, Verdict, check_brief, find_problems
from ui import state
from ui.network import actions, brief_choice
from ui.text import plain

SEVERITIES: dict[Severity, tuple[str, str]] = {
    "error": (":red[:material/error:]", "Cannot work"),
    "warning": (":orange[:material/warning:]", "Not what is meant"),
    "note": (":blue[:material/lightbulb:]", "Could be leaner"),
}
MET = {
    True: (":green[:material/check_circle:]", "kept"),
    False: (":red[:material/cancel:]", "broken"),
    None: (":gray[:material/help:]", "not to be told from the network alone"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is to say about a network."""

    findings: tuple[Finding[NetworkSpec], ...]
    brief: Brief | None
    verdicts: tuple[Verdict, ...]
    """On every rule of the brief."""

    def num_broken(self) -> int:
        """The rules that the network breaks."""
        return sum(verdict.is_met is False for verdict in self.verdicts)


def judge(spec: NetworkSpec) -> Judgement:
    """Judge `spec`, also by the brief in hand."""
    brief = state.current_brief()
    return Judgement(find_problems(spec, brief), brief, check_brief(spec, brief) if brief else ())


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view."""
    judgement = judge(spec)
    st.subheader("Does it keep the brief?", anchor="brief")
    brief_choice.brief_form(judgement.brief)
    if judgement.brief:
        _verdict_list(judgement)
    st.subheader("What a careful reader would point out", anchor="findings")
    _finding_list(judgement.findings)


def findings_text(findings: tuple[Finding[NetworkSpec], ...]) -> str:
    """How many findings of each severity there are, as in 2 warnings, 1 note."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(
        f"{counts[word]} {word}{'s' * (counts[word] > 1)}" for word in SEVERITIES if counts[word]
    )


def findings_marks(findings: tuple[Finding[NetworkSpec], ...]) -> str:
    """The same in marks, for where there is little room."""
    counts = Counter(finding.severity for finding in findings)
    marks = [f"{icon} {counts[word]}" for word, (icon, _) in SEVERITIES.items() if counts[word]]
    return " ".join(marks) or f"{MET[True][0]} none"


def brief_text(judgement: Judgement) -> str:
    """The verdict on the whole, in a few words and an icon."""
    rules = [verdict for verdict in judgement.verdicts if verdict.is_met is not None]
    broken = judgement.num_broken()
    icon, word = MET[not broken]
    return (
        f"{icon} {broken} of {len(rules)} {word}"
        if broken
        else f"{icon} {word}, {len(rules)} of {len(rules)}"
    )


def _verdict_list(judgement: Judgement) -> None:
    rules = [verdict for verdict in judgement.verdicts if verdict.is_met is not None]
    unseen = len(judgement.verdicts) - len(rules)
    rest = f" {unseen} more cannot be told from the network alone." if unseen else ""
    if not rules:
        st.info("The brief asks nothing that can be told from the network alone.", icon=":material/help:")
    elif broken := judgement.num_broken():
        st.error(
            f"**Not yet.** {broken} of {len(rules)} rules {'is' if broken == 1 else 'are'} broken.{rest}",
            icon=":material/cancel:",
        )
    else:
        st.success(f"**Kept.** All {len(rules)} rules are kept.{rest}", icon=":material/check_circle:")
    with st.container(key="network_verdicts", gap="xsmall"):
        for verdict in judgement.verdicts:
            icon, word = MET[verdict.is_met]
            reason = "" if verdict.is_met is None else f": {plain(verdict.reason)}"
            st.markdown(f"{icon} **{plain(_capital(verdict.rule))}** — {word}{reason}")


def _finding_list(findings: tuple[Finding[NetworkSpec], ...]) -> None:
    if not findings:
        st.success("Nothing: no fault that this page knows of.", icon=":material/check_circle:")
        return
    st.markdown(f"{findings_text(findings).capitalize()}, in the order of the layers.")
    _apply_all_buttons(findings)
    with st.container(key="network_findings", gap="small"):
        for finding in findings:
            _finding_card(finding)


def _apply_all_buttons(findings: tuple[Finding[NetworkSpec], ...]) -> None:
    """For each kind of finding that comes more than once, one button for all its remedies."""
    counts = Counter(finding.kind for finding in findings if finding.remedied is not None)
    with st.container(horizontal=True, gap="xsmall"):
        for kind, count in counts.items():
            if count > 1:
                st.button(
                    f"Apply all {count}: {kind.replace('_', ' ')}",
                    key=f"network_apply_all_{kind}",
                    icon=":material/done_all:",
                    on_click=actions.apply_remedies,
                    args=(kind,),
                )


def _finding_card(finding: Finding[NetworkSpec]) -> None:
    icon, word = SEVERITIES[finding.severity]
    with st.container(border=True, gap="xsmall"):
        where = f"layer {finding.index + 1} · {plain(finding.name)}"
        st.markdown(f"{icon} **{where}** :small[{word.lower()}]  \n{plain(finding.problem)}")
        st.caption(plain(finding.arithmetic))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/build: {plain(finding.remedy)}", width="content")
            if finding.remedied is not None:
                st.button(
                    "Apply",
                    key=f"network_apply_{finding.kind}_{finding.name}",
                    on_click=actions.apply_remedy,
                    args=(finding.kind, finding.name),
                )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
