package mandate.rules.lending.hosted_code_test

import data.mandate.rules.lending.hosted_code as rule
import data.mandate.testing

value(repository) := [testing.replaced("/provenance/code/repository", repository)]

cases := {
	"a repository passes": {
		"changes": value("https://git.harbour.example/credit"),
		"verdicts": {"code.repository": "holds"},
	},
	"null fails": {"changes": value(null), "verdicts": {"code.repository": "fails"}},
	"an empty string fails": {"changes": value(""), "verdicts": {"code.repository": "fails"}},
	"a blank string fails": {"changes": value(" "), "verdicts": {"code.repository": "fails"}},
	"an empty list fails": {"changes": value([]), "verdicts": {"code.repository": "fails"}},
	"what nobody recorded has no verdict": {
		"changes": [testing.removed("/provenance/code/repository")],
		"verdicts": {"code.repository": "no verdict"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/provenance")],
		"verdicts": {"code.repository": "no verdict"},
	},
	"text in place of the code has no verdict": {
		"changes": [testing.replaced("/provenance/code", "somewhere")],
		"verdicts": {"code.repository": "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}
