package mandate.lib.thresholds_test

import data.mandate.lib.thresholds

request(environment, tier, model) := {
	"request": {"environment": environment},
	"subject": {"name": model, "risk_tier": tier},
}

known := {
	"environments": ["staging", "production"],
	"risk_tiers": ["low", "high"],
	"families": {"credit": "consumer_credit", "mortgage": "consumer_credit"},
}

bound(value) := {"value": value, "set_at": sprintf("x.yaml:%d", [value])}

setting := {
	"default": bound(1),
	"tiers": {"low": bound(2)},
	"environments": {"staging": bound(3)},
	"tiers_in_environments": {"staging": {"high": bound(4)}},
	"families": {"consumer_credit": bound(6)},
	"models": {"credit": bound(5)},
}

cases := {
	"the model's own comes first": {"request": request("staging", "high", "credit"), "bound": bound(5)},
	"then its family's": {"request": request("staging", "high", "mortgage"), "bound": bound(6)},
	"then the tier's in the environment": {"request": request("staging", "high", "churn"), "bound": bound(4)},
	"then the environment's": {"request": request("staging", "low", "churn"), "bound": bound(3)},
	"then the tier's": {"request": request("production", "low", "churn"), "bound": bound(2)},
	"then the default": {"request": request("production", "high", "churn"), "bound": bound(1)},
	"an unknown tier counts as the highest": {"request": request("staging", "unheard of", "churn"), "bound": bound(4)},
	"a tier that is null counts as the highest": {"request": request("staging", null, "churn"), "bound": bound(4)},
}

test_layers[note] if {
	some note, case in cases
	thresholds.of(setting) == case.bound with input as case.request with data.mandate.scope as known
}

test_without_a_tier_the_highest_holds if {
	thresholds.tier == "high" with input as {"request": {"environment": "staging"}} with data.mandate.scope as known
}

test_an_unknown_environment_has_no_bound[note] if {
	some note, asked in {
		"unknown": request("prod", "high", "churn"),
		"unknown, for a model of its own": request("prod", "high", "credit"),
		"null": request(null, "low", "churn"),
		"absent": {"subject": {"name": "credit", "risk_tier": "high"}},
	}
	not thresholds.of(setting) with input as asked with data.mandate.scope as known
}

test_a_layer_that_is_absent_is_passed_over if {
	thresholds.of({"default": bound(1)}) == bound(1) with input as request("staging", "low", "credit") with data.mandate.scope as known
}

test_a_setting_without_a_value_has_no_bound if {
	not thresholds.of({}) with input as request("staging", "low", "credit") with data.mandate.scope as known
}

test_what_no_setting_sets_says_so if thresholds.fixed(2) == {"value": 2, "set_at": null}
