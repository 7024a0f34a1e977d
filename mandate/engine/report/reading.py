"""An answer that was written as JSON, as the value again: what `machine` wrote, and nothing else, is one."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from ..decision import Decision, Judgement, Policy
from ..errors import NotAnAnswer
from ..evidence.receipt import Receipt
from ..gate import Answer
from ..input import Input
from . import Link

_DECISION = ("outcome", "reasons", "findings", "not_applicable", "waivers")


def read(document: dict[str, Any], where: str) -> tuple[Answer, Link | None]:
    """The answer, and the addresses of rules that came with it. `where` names who gave it.

    Of the input document there are only the parts that are shown. `NotAnAnswer` if it does not fit.
    """
    findings = [dict(finding) for finding in document.get("findings", ())]
    links = {finding["rule"]: finding.pop("documentation", None) for finding in findings}
    said = {name: document[name] for name in _DECISION if name in document}
    parts = {name: document.get(name) for name in ("subject", "request", "collection")}
    receipt = document.get("ledger")
    try:
        answer = Answer(
            Input.model_validate(parts, strict=False),
            Judgement(
                decision=Decision.model_validate(said | {"findings": findings}, strict=False),
                policy=Policy.model_validate(document.get("policy"), strict=False),
                opa_version=(document.get("opa") or {}).get("version"),
            ),
            None if receipt is None else Receipt.model_validate(receipt, strict=False),
            document.get("what_if") is True,
        )
    except (ValidationError, AttributeError) as error:
        raise NotAnAnswer(
            f"the answer does not fit ({type(error).__name__})",
            where=where,
            next_step="Let both run the same version of Mandate",
        ) from error
    known = {rule: link for rule, link in links.items() if isinstance(link, str)}
    return answer, known.__getitem__ if links and len(known) == len(links) else None
