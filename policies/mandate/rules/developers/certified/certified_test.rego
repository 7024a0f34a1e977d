package mandate.rules.developers.certified_test

import data.mandate.rules.developers.certified as rule
import data.mandate.testing

ada := "ada@bank.example"

bob := "bob@bank.example"

certificate(field, value) := [testing.replaced(concat("/", ["/developers/0/certificates/0", field]), value)]

# The request is of 2026-11-20T09:30:00Z.
cases := {
	"valid certificates pass": {"changes": [], "verdict": "holds"},
	"issued at this instant passes": {"changes": certificate("issued", "2026-11-20T09:30:00Z"), "verdict": "holds"},
	"issued later fails": {"changes": certificate("issued", "2026-11-20T09:30:00.000001Z"), "verdict": "fails"},
	"expiring later passes": {"changes": certificate("expires", "2026-11-20T09:30:00.000001Z"), "verdict": "holds"},
	"expiring at this instant fails": {"changes": certificate("expires", "2026-11-20T09:30:00Z"), "verdict": "fails"},
	"never expiring passes": {"changes": certificate("expires", "9999-12-31T23:59:59Z"), "verdict": "holds"},
	"expiring in another time zone fails": {
		"changes": certificate("expires", "2028-01-01T00:00:00+14:00"),
		"verdict": "fails",
	},
	"no expiry fails": {"changes": certificate("expires", null), "verdict": "fails"},
	"an issuer that is not accredited fails": {"changes": certificate("accredited", false), "verdict": "fails"},
	"accreditation as text fails": {"changes": certificate("accredited", "true"), "verdict": "fails"},
	"another topic fails": {"changes": certificate("topics", ["privacy"]), "verdict": "fails"},
	"no topic fails": {"changes": certificate("topics", []), "verdict": "fails"},
	"no certificate fails": {"changes": [testing.replaced("/developers/0/certificates", [])], "verdict": "fails"},
	"an unknown author fails": {"changes": [testing.replaced("/developers/0/known", false)], "verdict": "fails"},
	"an author of whom nobody knows fails": {"changes": [testing.removed("/developers/0/known")], "verdict": "fails"},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == {ada: case.verdict, bob: "holds"}
}

test_without_authors_there_is_no_verdict[note] if {
	some note, authors in {"none": [], "null": null}
	changes := [testing.replaced("/developers", authors)]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {"*": "no verdict"}
}

test_every_topic_must_be_covered if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.good
		with data.mandate.thresholds.developers.required_topics.default.value as ["privacy", "ethics"]
	judged == {ada: "holds", bob: "fails"}
}

test_no_topic_certifies_nobody if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.good
		with data.mandate.thresholds.developers.required_topics.default.value as []
	judged == {ada: "fails", bob: "fails"}
}

test_an_unknown_author_is_called_so if {
	checks := rule.must with input as testing.changed([testing.replaced("/developers/1/known", false)])
	check := {
		"term": bob,
		"origin": "measured",
		"collector": "developers",
		"n": null,
		"interval": null,
		"unit": null,
	}
	{each | some each in checks; each.term == bob} == {
		object.union(check, {
			"measured": ["ethics"],
			"comparison": "includes",
			"bound": ["ethics"],
			"bound_set_at": "thresholds/developers.yaml:4",
			"proven": true,
			"holds": true,
		}),
		object.union(check, {
			"measured": "unknown to the directory",
			"comparison": "==",
			"bound": "known to the directory",
			"bound_set_at": null,
			"proven": false,
			"holds": false,
		}),
	}
}
