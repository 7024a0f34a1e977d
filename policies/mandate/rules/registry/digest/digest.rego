# METADATA
# title: The artifact is the one that was approved
# description: |
#   The subject's digest is there and is the root digest of the artifact's files, and an approval that had been given
#   when the request was made names it. While a model is in service (the action `monitor`), it is held against its
#   approvals where there are any.
# custom:
#   failure_msg: The artifact is not proven to be what was approved
#   solution: Have this very artifact approved, or put back the artifact that was approved.
#   severity: critical
#   collections: [essential, registry]
#   controls:
#     - EU AI Act 15(5)
#     - SOC 2 CC8.1
#     - SOX ITGC change management
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [mlflow, approvals]
#   actions: [promote, deploy, monitor]
#   waivable: false
package mandate.rules.registry.digest

import data.mandate.lib.approvals
import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds

terms contains "artifact"

terms contains "approved" if not input.request.action == "monitor"

terms contains "approved" if input.approvals[0]

must contains check.equals("artifact", digest, thresholds.fixed(input.artifact.sha256)) if {
	digest := facts.derived("mlflow", input.subject.sha256)
}

# What is measured are the digests that were approved: one for another artifact shows as such.
must contains check.includes("approved", digests, thresholds.fixed([input.subject.sha256])) if {
	"approved" in terms
	is_array(input.approvals)
	digests := facts.joint(["approvals", "mlflow"], {approval.subject_sha256 | some approval in approvals.given})
}
