package mandate.rules.documentation.model_card_test

import data.mandate.rules.documentation.model_card as rule
import data.mandate.testing

names := data.mandate.thresholds.documentation.required_sections.default.value

all_but(section, verdict) := object.union({name: "holds" | some name in names}, {section: verdict})

words(count_) := [testing.replaced("/documentation/sections/1/words", count_)]

cases := {
	"five words do": {"changes": words(5), "verdicts": all_but("Intended use", "holds")},
	"four words do not": {"changes": words(4), "verdicts": all_but("Intended use", "fails")},
	"an empty section fails": {"changes": words(0), "verdicts": all_but("Intended use", "fails")},
	"null fails": {"changes": words(null), "verdicts": all_but("Intended use", "fails")},
	"a string fails": {"changes": words("88"), "verdicts": all_but("Intended use", "fails")},
	"NaN fails": {"changes": words("NaN"), "verdicts": all_but("Intended use", "fails")},
	"an absent section fails": {"changes": [testing.removed("/documentation/sections/1")], "verdicts": all_but("Intended use", "fails")},
	"upper case and space do not matter": {
		"changes": [testing.replaced("/documentation/sections/1/name", " INTENDED use ")],
		"verdicts": all_but("Intended use", "holds"),
	},
	"a card without sections fails": {
		"changes": [testing.replaced("/documentation/sections", [])],
		"verdicts": {name: "fails" | some name in names},
	},
	"without a card there is no verdict": {
		"changes": [testing.removed("/documentation")],
		"verdicts": {name: "no verdict" | some name in names},
	},
	"the shorter of two sections counts": {
		"changes": [testing.appended("/documentation/sections", {"name": "intended use", "words": 1})],
		"verdicts": all_but("Intended use", "fails"),
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_words_are_counted if {
	checks := rule.must with input as testing.good
	{
		"term": "Intended use",
		"measured": 88,
		"comparison": ">=",
		"bound": 5,
		"bound_set_at": "thresholds/documentation.yaml:15",
		"origin": "measured",
		"collector": "documentation",
		"n": null,
		"interval": null,
		"unit": "words",
		"proven": true,
		"holds": true,
	} in checks
}
