package mandate.rules.provenance.complete_test

import data.mandate.rules.provenance.complete as rule
import data.mandate.testing

fields := {field | some field in data.mandate.thresholds.provenance.required_fields.default.value}

all_but(field, verdict) := object.union({each: "holds" | some each in fields}, {field: verdict})

path(field) := sprintf("/provenance/%s", [replace(field, ".", "/")])

every_field(verdict) := {field: verdict | some field in fields}

with_null[note] := {"changes": [testing.replaced(path(field), null)], "verdicts": all_but(field, "fails")} if {
	some field in fields
	note := sprintf("%s that is null fails", [field])
}

without[note] := {"changes": [testing.removed(path(field))], "verdicts": all_but(field, "fails")} if {
	some field in fields
	note := sprintf("%s that is not there fails", [field])
}

others := {
	"the good record is complete": {"changes": [], "verdicts": every_field("holds")},
	"empty text fails": {"changes": [testing.replaced("/provenance/data/source", "")], "verdicts": all_but("data.source", "fails")},
	"an empty list fails": {
		"changes": [testing.replaced("/provenance/hyperparameters", [])],
		"verdicts": all_but("hyperparameters", "fails"),
	},
	"a part that is null fails with all its fields": {
		"changes": [testing.replaced("/provenance/environment", null)],
		"verdicts": object.union(
			all_but("environment.python", "fails"),
			{"environment.lock_file_sha256": "fails"},
		),
	},
	"a part that is text fails with all its fields": {
		"changes": [testing.replaced("/provenance/environment", "conda")],
		"verdicts": object.union(
			all_but("environment.python", "fails"),
			{"environment.lock_file_sha256": "fails"},
		),
	},
	"a record that is null has no verdict": {
		"changes": [testing.replaced("/provenance", null)],
		"verdicts": every_field("no verdict"),
	},
	"no record has no verdict": {"changes": [testing.removed("/provenance")], "verdicts": every_field("no verdict")},
	"a record that nobody collected has no verdict": {
		"changes": [testing.replaced("/collection", [])],
		"verdicts": every_field("no verdict"),
	},
	"what an organisation requires is required": {
		"changes": [],
		"settings": {"provenance": {"required_fields": {"default": {"value": ["environment.container_image_digest"]}}}},
		"verdicts": {"environment.container_image_digest": "fails"},
	},
}

cases := object.union_n([with_null, without, others])

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
		with data.mandate.thresholds as testing.set(case)
	judged == case.verdicts
}

test_a_check_shows_what_is_recorded if {
	checks := rule.must with input as testing.good
	{
		"term": "code.dirty",
		"measured": false,
		"comparison": "present",
		"bound": true,
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
