package mandate.rules.provenance.linked_test

import data.mandate.rules.provenance.linked as rule
import data.mandate.testing

links := {
	"run_id": "holds",
	"code.git_commit": "holds",
	"code.dirty": "holds",
	"output.model_sha256": "holds",
	"data_sha256": "holds",
	"git_commit_exists": "holds",
	"training_code_matches_commit": "holds",
}

with_verdicts(verdicts) := object.union(links, verdicts)

verification(at, value) := [testing.replaced(sprintf("/provenance/verifications/%d/result", [at]), value)]

cases := {
	"the good chain holds": {"changes": [], "verdicts": links},
	"another run fails": {
		"changes": [testing.replaced("/model/run_id", "0a1b")],
		"verdicts": with_verdicts({"run_id": "fails"}),
	},
	"a run that neither side names fails": {
		"changes": [testing.replaced("/model/run_id", null), testing.replaced("/provenance/run_id", null)],
		"verdicts": with_verdicts({"run_id": "fails"}),
	},
	"a run that both sides leave empty fails": {
		"changes": [testing.replaced("/model/run_id", ""), testing.replaced("/provenance/run_id", "")],
		"verdicts": with_verdicts({"run_id": "fails"}),
	},
	"another commit fails": {
		"changes": [testing.replaced("/model/source/git_commit", "0a1b")],
		"verdicts": with_verdicts({"code.git_commit": "fails"}),
	},
	"a commit that the run does not name fails": {
		"changes": [testing.replaced("/model/source/git_commit", null)],
		"verdicts": with_verdicts({"code.git_commit": "fails"}),
	},
	"another artifact fails": {
		"changes": [testing.replaced("/artifact/sha256", "0a1b")],
		"verdicts": with_verdicts({"output.model_sha256": "fails"}),
	},
	"an artifact that nobody read has no verdict": {
		"changes": [testing.replaced("/artifact", null)],
		"verdicts": with_verdicts({"output.model_sha256": "no verdict"}),
	},
	"a dirty tree fails": {
		"changes": [testing.replaced("/provenance/code/dirty", true)],
		"verdicts": with_verdicts({"code.dirty": "fails"}),
	},
	"a tree that is called clean in words fails": {
		"changes": [testing.replaced("/provenance/code/dirty", "false")],
		"verdicts": with_verdicts({"code.dirty": "fails"}),
	},
	"a tree that nobody looked at fails": {
		"changes": [testing.replaced("/provenance/code/dirty", null)],
		"verdicts": with_verdicts({"code.dirty": "fails"}),
	},
	"refuted data fail": {
		"changes": verification(2, "refuted"),
		"verdicts": with_verdicts({"data_sha256": "fails"}),
	},
	"data that cannot be verified fail": {
		"changes": verification(2, "not_verifiable"),
		"verdicts": with_verdicts({"data_sha256": "fails"}),
	},
	"a commit that does not exist fails": {
		"changes": verification(0, "refuted"),
		"verdicts": with_verdicts({"git_commit_exists": "fails"}),
	},
	"code that is not the commit's fails": {
		"changes": verification(1, "refuted"),
		"verdicts": with_verdicts({"training_code_matches_commit": "fails"}),
	},
	"what was never verified has no verdict": {
		"changes": [testing.replaced("/provenance/verifications", [])],
		"verdicts": with_verdicts({name: "no verdict" | some name in rule.verified}),
	},
	"the worse of two verifications counts": {
		"changes": [testing.appended("/provenance/verifications", {
			"name": "data_sha256",
			"result": "refuted",
			"detail": "",
		})],
		"verdicts": with_verdicts({"data_sha256": "fails"}),
	},
	"no record has no verdict": {
		"changes": [testing.replaced("/provenance", null)],
		"verdicts": {name: "no verdict" | some name in object.keys(links)},
	},
	"a model that nobody looked up has no verdict on what it names": {
		"changes": [testing.replaced("/collection/6", {"name": "mlflow", "status": "missing", "reason": "no server"})],
		"verdicts": with_verdicts({
			"run_id": "no verdict",
			"code.git_commit": "no verdict",
			"output.model_sha256": "no verdict",
		}),
	},
	"a link to a claim is a claim": {
		"changes": [testing.replaced("/collection/6/origin", "reported")],
		"verdicts": with_verdicts({"run_id": "fails", "code.git_commit": "fails", "output.model_sha256": "fails"}),
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_link_is_held_against_the_thing_itself if {
	checks := rule.must with input as testing.good
	{
		"term": "output.model_sha256",
		"measured": testing.good.subject.sha256,
		"comparison": "==",
		"bound": testing.good.artifact.sha256,
		"bound_set_at": null,
		"origin": "measured",
		"collector": "provenance",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": true,
		"holds": true,
	} in checks
}
