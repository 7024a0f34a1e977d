package custom.regal.rules.mandate["filled-in_test"]

import data.custom.regal.rules.mandate["filled-in"] as rule

said(policy) := {[violation.location.row, violation.description] |
	some violation in rule.report with input as regal.parse_module("policy.rego", policy)
}

test_what_is_to_be_filled_in_is_named if {
	said("# METADATA\n# title: TODO say it in one line\npackage x\n\n# TODO: name it.\ny := 1\n") == {
		[2, "to be filled in → say it in one line"],
		[5, "to be filled in → name it."],
	}
}

test_what_is_filled_in_is_left_alone if said("# METADATA\n# title: Todos\npackage x\n\n# MYTODO\ny := \"TODO\"\n") == set()
