package mandate.rules.developers.certified_test

import data.mandate.rules.developers.certified as rule
import data.mandate.testing

ada := "ada@bank.example"

bob := "bob@bank.example"

certificate(field, value) := [testing.replaced(concat("/", ["/developers/0/certificates/0", field]), value)]

ada_holds := {ada: "holds", bob: "holds"}

ada_fails := {ada: "fails", bob: "holds"}

requiring(topics) := {"developers": {"required_topics": {"default": {"value": topics}}}}

# The request is of 2026-11-20T09:30:00Z.
cases := {
	"valid certificates pass": {"changes": [], "verdicts": ada_holds},
	"issued at this instant passes": {"changes": certificate("issued", "2026-11-20T09:30:00Z"), "verdicts": ada_holds},
	"issued later fails": {"changes": certificate("issued", "2026-11-20T09:30:00.000001Z"), "verdicts": ada_fails},
	"expiring later passes": {"changes": certificate("expires", "2026-11-20T09:30:00.000001Z"), "verdicts": ada_holds},
	"expiring at this instant fails": {"changes": certificate("expires", "2026-11-20T09:30:00Z"), "verdicts": ada_fails},
	"never expiring passes": {"changes": certificate("expires", "9999-12-31T23:59:59Z"), "verdicts": ada_holds},
	"expiring in another time zone fails": {
		"changes": certificate("expires", "2028-01-01T00:00:00+14:00"),
		"verdicts": ada_fails,
	},
	"no expiry fails": {"changes": certificate("expires", null), "verdicts": ada_fails},
	"an issuer that is not accredited fails": {"changes": certificate("accredited", false), "verdicts": ada_fails},
	"accreditation as text fails": {"changes": certificate("accredited", "true"), "verdicts": ada_fails},
	"another topic fails": {"changes": certificate("topics", ["privacy"]), "verdicts": ada_fails},
	"no topic fails": {"changes": certificate("topics", []), "verdicts": ada_fails},
	"no certificate fails": {"changes": [testing.replaced("/developers/0/certificates", [])], "verdicts": ada_fails},
	"an unknown author fails": {"changes": [testing.replaced("/developers/0/known", false)], "verdicts": ada_fails},
	"certificates that are text fail": {"changes": [testing.replaced("/developers/0/certificates", "all")], "verdicts": ada_fails},
	"an author of whom nobody knows fails": {"changes": [testing.removed("/developers/0/known")], "verdicts": ada_fails},
	"no authors have no verdict": {"changes": [testing.replaced("/developers", [])], "verdicts": {"*": "no verdict"}},
	"no section has no verdict": {"changes": [testing.replaced("/developers", null)], "verdicts": {"*": "no verdict"}},
	"every topic must be covered": {
		"changes": [],
		"settings": requiring(["privacy", "ethics"]),
		"verdicts": {ada: "holds", bob: "fails"},
	},
	"no topic certifies nobody": {"changes": [], "settings": requiring([]), "verdicts": {ada: "fails", bob: "fails"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
		with data.mandate.thresholds as testing.set(case)
	judged == case.verdicts
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
