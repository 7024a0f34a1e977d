package mandate.rules.registry.digest_test

import data.mandate.rules.registry.digest as rule
import data.mandate.testing

good := testing.good.subject.sha256

other := crypto.sha256("another artifact")

monitored := testing.replaced("/request/action", "monitor")

cases := {
	"what was approved passes": {"changes": [], "verdicts": {"artifact": "holds", "approved": "holds"}},
	"a subject without a digest fails": {
		"changes": [testing.replaced("/subject/sha256", null)],
		"verdicts": {"artifact": "fails", "approved": "fails"},
	},
	"no digest on either side fails": {
		"changes": [testing.replaced("/subject/sha256", null), testing.replaced("/artifact/sha256", null)],
		"verdicts": {"artifact": "fails", "approved": "fails"},
	},
	"another artifact fails": {
		"changes": [testing.replaced("/artifact/sha256", other)],
		"verdicts": {"artifact": "fails", "approved": "holds"},
	},
	"an artifact that nobody read has no verdict": {
		"changes": [testing.replaced("/artifact", null)],
		"verdicts": {"artifact": "no verdict", "approved": "holds"},
	},
	"approvals of another artifact fail": {
		"changes": [
			testing.replaced("/approvals/0/subject_sha256", other),
			testing.replaced("/approvals/1/subject_sha256", other),
		],
		"verdicts": {"artifact": "holds", "approved": "fails"},
	},
	"one approval of this artifact is enough here": {
		"changes": [testing.replaced("/approvals/0/subject_sha256", other)],
		"verdicts": {"artifact": "holds", "approved": "holds"},
	},
	"approvals from the future fail": {
		"changes": [
			testing.replaced("/approvals/0/approved_at", "2026-11-20T09:30:00.1Z"),
			testing.replaced("/approvals/1/approved_at", "2027-01-01T00:00:00Z"),
		],
		"verdicts": {"artifact": "holds", "approved": "fails"},
	},
	"no approvals fail": {
		"changes": [testing.replaced("/approvals", [])],
		"verdicts": {"artifact": "holds", "approved": "fails"},
	},
	"approvals that are text have no verdict": {
		"changes": [testing.replaced("/approvals", good)],
		"verdicts": {"artifact": "holds", "approved": "no verdict"},
	},
	"approvals that nobody collected have no verdict": {
		"changes": [testing.replaced("/approvals", null)],
		"verdicts": {"artifact": "holds", "approved": "no verdict"},
	},
	"in service approvals are held against it": {
		"changes": [monitored, testing.replaced("/subject/sha256", other), testing.replaced("/artifact/sha256", other)],
		"verdicts": {"artifact": "holds", "approved": "fails"},
	},
	"in service without approvals the artifact stands alone": {
		"changes": [monitored, testing.replaced("/approvals", null)],
		"verdicts": {"artifact": "holds"},
	},
	"a claimed digest fails in production": {
		"changes": [testing.replaced("/collection/6/origin", "reported")],
		"verdicts": {"artifact": "fails", "approved": "fails"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_an_approval_of_another_artifact_is_shown if {
	checks := rule.must with input as testing.changed([
		testing.replaced("/approvals/0/subject_sha256", other),
		testing.removed("/approvals/1"),
	])
	{
		"term": "approved",
		"measured": [other],
		"comparison": "includes",
		"bound": [good],
		"bound_set_at": null,
		"origin": "measured",
		"collector": "approvals",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": false,
		"holds": false,
	} in checks
}
