# METADATA
# title: Model, data and code form one chain
# description: |
#   The seed record names the registered version's run, its commit and its artifact; the commit exists and has the
#   training code; the data have the digest that is recorded; and the work tree was clean. A statement that could not
#   be held against the thing itself does not link anything.
# custom:
#   failure_msg: The model is not linked to the data and the code it is said to come from
#   solution: >-
#     Train from a clean commit through the pipeline, and register what that run made. A chain cannot be repaired
#     afterwards.
#   severity: critical
#   collections: [essential, provenance]
#   controls:
#     - EU AI Act 10(2)(b)
#     - SOC 2 CC8.1
#     - SOX ITGC change management
#     - ISO/IEC 42001 A.7.5
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [provenance, mlflow]
#   actions: [promote, deploy]
#   waivable: false
package mandate.rules.provenance.linked

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds

# What the collector held against the thing itself.
verified := {"data_sha256", "git_commit_exists", "training_code_matches_commit"}

terms := {"run_id", "code.git_commit", "code.dirty", "output.model_sha256"} | verified

must contains check.equals("run_id", _recorded(input.provenance.run_id), _registered(input.model.run_id))

must contains check.equals(
	"code.git_commit",
	_recorded(input.provenance.code.git_commit),
	_registered(input.model.source.git_commit),
)

must contains check.equals(
	"output.model_sha256",
	_recorded(input.provenance.output.model_sha256),
	_registered(input.artifact.sha256),
)

must contains check.equals("code.dirty", dirty, thresholds.fixed(false)) if {
	dirty := facts.derived("provenance", input.provenance.code.dirty)
}

must contains check.equals(verification.name, result, thresholds.fixed("verified")) if {
	some verification in input.provenance.verifications
	verification.name in verified
	result := facts.derived("provenance", verification.result)
}

_recorded(value) := facts.joint(["provenance", "mlflow"], value)

_registered(value) := thresholds.fixed(value)
