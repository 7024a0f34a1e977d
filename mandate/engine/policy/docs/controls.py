"""Controls as rules name them, "EU AI Act 10(2)(f)", by the framework that they are a clause of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FRAMEWORKS: Mapping[str, str] = {
    "EU AI Act": "Regulation (EU) 2024/1689 on artificial intelligence",
    "GDPR": "Regulation (EU) 2016/679 on the protection of personal data",
    "SR 26-2": "",
    "OCC 2026-13": "",
    "NIST AI RMF": "NIST AI 100-1, the Artificial Intelligence Risk Management Framework",
    "ISO/IEC 42001": "ISO/IEC 42001:2023, management systems for artificial intelligence",
    "SOC 2": "Trust Services Criteria of the AICPA",
    "SOX ITGC": "general IT controls over financial reporting, for the Sarbanes-Oxley Act",
    "NYC Local Law 144": "automated employment decision tools in New York City",
    "29 CFR 1607": "Uniform Guidelines on Employee Selection Procedures (1978)",
}
"""Frameworks that are known by name, and what each is. Others are taken from the control's own words."""

OTHER = "Other controls"

_NUMBER = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Control:
    """One control, and the rules that produce evidence supporting it."""

    name: str
    """As the rules name it."""
    framework: str
    clause: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """A law, a standard or an organisation's own rulebook."""

    name: str
    about: str
    """What it is; empty if that is not known."""
    controls: tuple[Control, ...]


def frameworks(controls: Mapping[str, Iterable[str]]) -> tuple[Framework, ...]:
    """The frameworks of these controls, by name; `controls`: the rules that name each."""
    found: dict[str, list[Control]] = {}
    for name in sorted(controls, key=_natural):
        framework, clause = _parted(name)
        found.setdefault(framework, []).append(Control(name, framework, clause, tuple(controls[name])))
    ordered = sorted(found, key=lambda name: (name == OTHER, *_natural(name)))
    return tuple(Framework(name, FRAMEWORKS.get(name, ""), tuple(found[name])) for name in ordered)


def _parted(name: str) -> tuple[str, str]:
    """Framework and clause. What is not known by name ends before its first word with a digit."""
    for known in FRAMEWORKS:
        rest = name.removeprefix(known)
        if rest != name and not rest[:1].isalnum():
            return known, rest.lstrip(" ,.:") or name
    words = name.split()
    at = next((at for at, word in enumerate(words) if _NUMBER.search(word)), 0)
    return (" ".join(words[:at]), " ".join(words[at:])) if at else (OTHER, name)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts 9(8) before 10(2)."""
    return [(int(part), "") if at % 2 else (-1, part) for at, part in enumerate(_NUMBER.split(name))]
