"""Lets OPA judge an input document, and refuses whatever is not a judgement by the expected policies."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ..decision import Decision, Judgement, Outcome, Policy
from ..errors import BadInput, BadPolicy, NotAnAnswer, OpaUnavailable
from ..input.document import Input
from ..said import quoted
from .answer import Answer
from .client import BATCH, BUNDLE, DECISION, OpaClient
from .findings import contradiction
from .versions import refusal

_LISTED = 4


class OpaJudge:
    """Policies in an OPA.

    `policy`: the policies that must answer. `bundle`: the name of their bundle in this OPA. `beside`: the
    other bundles that this OPA holds, name → revision; any that is not named here is refused. `rules`: the
    ids of the policies' rules; an allow that is silent about one of them is refused.
    `trusts_any_version`: for an OPA that is itself on trial, whose answers nobody acts on.
    """

    def __init__(
        self,
        client: OpaClient,
        policy: Policy,
        *,
        bundle: str = BUNDLE,
        beside: Mapping[str, str] | None = None,
        rules: Collection[str] = (),
        trusts_any_version: bool = False,
    ) -> None:
        if not policy.revision:
            # An empty revision is what OPA reports for a bundle without one: it would match any of those.
            raise BadPolicy("the policy bundle has no revision", next_step="Build it with `--revision`")
        self._client = client
        self._policy = policy
        self._revisions = {**(beside or {}), bundle: policy.revision}
        self._rules = frozenset(rules)
        self._trusts_any_version = trusts_any_version

    @property
    def policy(self) -> Policy:
        """The policies that must answer."""
        return self._policy

    def ready(self) -> None:
        """Return if OPA answers now, in a good version and with the expected policies; raise as `judge`."""
        answer = self._client.ask(DECISION, b"{}")
        self._good_version(answer)
        self._demand_the_revisions(answer)

    def judge(self, document: Input) -> Judgement:
        """The policies' decision about `document`, which is sent as its canonical JSON.

        `CouldNotDecide` (`OpaUnavailable`, `NotAnAnswer`) for everything else than a decision of these
        policies; `BadInput` if the document has no canonical JSON.
        """
        try:
            question = document.canonical
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"the input document has no canonical JSON ({type(error).__name__})",
                where="input document",
                next_step="Leave out integers beyond 2**53 - 1 and text that is not Unicode",
            ) from error
        return self.judge_json(question)

    def judge_json(self, question: bytes) -> Judgement:
        """As `judge`, about a document that is canonical JSON: one on record is sent as it was signed."""
        answer = self._client.ask(DECISION, question)

        # What follows is all that stands between an answer and an allow. In this order:
        #
        # 1. The OPA that answered is of a version that computes rightly.
        # 2. It holds exactly the expected bundles in exactly the expected revisions: a stale, foreign
        #    or additional bundle could have answered, or have changed what the expected one answers.
        # 3. The result is a decision to the letter: no unknown field, no converted type, and no allow
        #    that contradicts itself or for which nothing passed (`Decision` cannot be built so).
        # 4. The findings are such as the policies make.
        # 5. An allow accounts for every rule: in Rego, a rule whose finding is undefined is a rule that
        #    is not there, and nobody would miss its violation.
        #
        # Nothing is repaired, and nothing is looked at that was not checked before.

        # 1., 2.
        opa_version = self._demand_ours(answer)
        # 3., 4., 5.
        decision = self._demand_a_decision(answer.result)
        return Judgement(decision=decision, policy=self._policy, opa_version=opa_version)

    def decisions(self, questions: Sequence[bytes]) -> tuple[Decision | None, ...]:
        """On each of these documents in canonical JSON what `judge_json` decides; `None` if that would raise.

        OPA must take batches. `CouldNotDecide` if it does not answer, or not about each of them.
        """
        answer = self._client.ask(BATCH, b'{"batch":[%b]}' % b",".join(questions))
        self._demand_ours(answer)
        results = answer.result.get("decisions")
        if not isinstance(results, list) or len(results) != len(questions):
            raise self._not_an_answer("the answer has not one decision for each input")
        return tuple(map(self._decision_or_none, results))

    def _decision_or_none(self, result: Any) -> Decision | None:
        try:
            return self._demand_a_decision(result) if isinstance(result, dict) else None
        except NotAnAnswer:
            return None

    def _demand_ours(self, answer: Answer) -> str:
        """The version of the OPA that answered, by the expected policies."""
        opa_version = self._good_version(answer)
        self._demand_the_revisions(answer)
        return opa_version

    def _demand_a_decision(self, result: Mapping[str, Any]) -> Decision:
        decision = self._decision(result)
        if wrong := contradiction(decision):
            raise self._not_an_answer(f"OPA's decision cannot be: {wrong}")
        if decision.outcome is Outcome.ALLOW and (silent := self._rules - _accounted_for(decision)):
            raise self._not_an_answer(f"OPA's allow does not say what became of the rule {min(silent)}")
        return decision

    def _good_version(self, answer: Answer) -> str:
        if answer.opa_version is None:
            raise self._not_an_answer("the answer does not say which OPA gave it")
        if not self._trusts_any_version and (reason := refusal(answer.opa_version)):
            raise OpaUnavailable(
                reason,
                where=f"OPA at {quoted(self._client.url)}",
                next_step="Run `mandate opa install`, or update OPA",
            )
        return answer.opa_version

    def _demand_the_revisions(self, answer: Answer) -> None:
        if dict(answer.revisions) != self._revisions:
            raise self._not_an_answer(
                f"other policies answered: OPA holds {_listed(answer.revisions)}, "
                f"expected {_listed(self._revisions)}"
            )

    def _decision(self, result: Mapping[str, Any]) -> Decision:
        try:
            # From JSON, because only then a strict model takes lists for tuples and text for enumerations.
            return Decision.model_validate_json(json.dumps(dict(result)))
        except (ValidationError, ValueError, RecursionError) as error:
            raise self._not_an_answer(f"OPA's result is not a decision: {_first(error)}") from error

    def _not_an_answer(self, what: str) -> NotAnAnswer:
        return NotAnAnswer(
            what,
            where=f"OPA at {quoted(self._client.url)}",
            next_step="Load the policy bundle that Mandate expects into this OPA, and nothing else",
        )


def _accounted_for(decision: Decision) -> set[str]:
    """The rules that were judged, or did not apply."""
    judged = {finding.rule for finding in decision.findings}
    return judged | {other.rule for other in decision.not_applicable}


def _listed(revisions: Mapping[str, str]) -> str:
    if not revisions:
        return "no bundle"
    shown = sorted(revisions.items())[:_LISTED]
    named = ", ".join(f"{quoted(name, 80)} in revision {quoted(revision, 80)}" for name, revision in shown)
    return f"{named} and more" if len(revisions) > _LISTED else named


def _first(error: ValueError | RecursionError) -> str:
    """Where the first difference is, without the value that stands there: it may be about people."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if not details:
        return "it is of another shape"
    place = ".".join(str(part) for part in details[0]["loc"]) or "the whole"
    return f"{quoted(place, 120)}: {quoted(details[0]['msg'], 120)}"
