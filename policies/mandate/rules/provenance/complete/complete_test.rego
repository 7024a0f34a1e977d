package mandate.rules.provenance.complete_test

import data.mandate.rules.provenance.complete as rule
import data.mandate.testing

fields := {field | some field in data.mandate.thresholds.provenance.required_fields.default.value}

all_but(field, verdict) := object.union({each: "holds" | some each in fields}, {field: verdict})

path(field) := sprintf("/provenance/%s", [replace(field, ".", "/")])

test_the_good_record_is_complete if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.good
	judged == {field: "holds" | some field in fields}
}

test_a_field_that_is_null_fails[field] if {
	some field in fields
	changes := [testing.replaced(path(field), null)]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == all_but(field, "fails")
}

test_a_field_that_is_not_there_fails[field] if {
	some field in fields
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed([testing.removed(path(field))])
	judged == all_but(field, "fails")
}

test_empty_text_and_an_empty_list_fail[field] if {
	some field, empty in {"data.source": "", "hyperparameters": []}
	changes := [testing.replaced(path(field), empty)]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == all_but(field, "fails")
}

test_a_part_that_is_null_fails_with_all_its_fields if {
	changes := [testing.replaced("/provenance/environment", null)]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	failing := {term | some term, verdict in judged; verdict == "fails"}
	failing == {"environment.lock_file_sha256", "environment.python"}
}

test_without_a_record_there_is_no_verdict[note] if {
	some note, changes in {
		"null": [testing.replaced("/provenance", null)],
		"absent": [testing.removed("/provenance")],
		"not collected": [testing.replaced("/collection", [])],
	}
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {field: "no verdict" | some field in fields}
}

test_what_an_organisation_requires_is_required if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.good
		with data.mandate.thresholds.provenance.required_fields.default.value as ["environment.container_image_digest"]
	judged == {"environment.container_image_digest": "fails"}
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
