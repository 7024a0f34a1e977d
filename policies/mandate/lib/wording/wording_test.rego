package mandate.lib.wording_test

import data.mandate.lib.wording
import data.mandate.testing

check(changes) := object.union(
	{
		"term": "afam",
		"measured": 0.10412345,
		"comparison": "<=",
		"bound": 0.05,
		"bound_set_at": "thresholds/fairness.yaml:9",
		"origin": "measured",
		"collector": "fairness",
		"n": 2380,
		"interval": null,
		"unit": null,
		"proven": false,
		"holds": false,
	},
	changes,
)

reported := [{"op": "add", "path": "/collection/5/reported_by", "value": "mallory"}]

sentences := {
	"a number": {"check": {}, "says": "afam measured 0.1041 (n = 2,380, measured by fairness), passes at ≤ 0.05."},
	"a number with an interval that is none": {
		"check": {"interval": {"lower": "NaN", "upper": 0.1284999, "level": 0.95, "method": "Newcombe"}},
		"says": "afam measured 0.1041 (n = 2,380, 95 % interval NaN to 0.1285, measured by fairness), passes at ≤ 0.05.",
	},
	"a number with an interval": {
		"check": {"interval": {"lower": 0.08, "upper": 0.1284999, "level": 0.95, "method": "Newcombe"}},
		"says": "afam measured 0.1041 (n = 2,380, 95 % interval 0.08 to 0.1285, measured by fairness), passes at ≤ 0.05.",
	},
	"a quantity": {
		"check": {"measured": 12, "bound": 1030, "comparison": ">=", "unit": "rows", "n": null},
		"says": "afam measured 12 rows (measured by fairness), passes at ≥ 1,030 rows.",
	},
	"what is not a number": {
		"check": {"measured": "NaN"},
		"says": "afam is NaN (n = 2,380, measured by fairness), passes at ≤ 0.05.",
	},
	"null": {
		"check": {"measured": null, "n": null, "comparison": "present", "bound": true},
		"says": "afam is absent (measured by fairness), passes once it is recorded.",
	},
	"a truth": {
		"check": {"measured": true, "n": null, "comparison": "==", "bound": false},
		"says": "afam is true (measured by fairness), passes as false.",
	},
	"a choice": {
		"check": {"measured": "long", "n": null, "comparison": "one of", "bound": ["double", "float"]},
		"says": "afam is long (measured by fairness), passes as one of: double, float.",
	},
	"no choice": {
		"check": {"measured": "long", "n": null, "comparison": "one of", "bound": ["double"]},
		"says": "afam is long (measured by fairness), passes as double.",
	},
	"a list": {
		"check": {"measured": ["privacy", "law"], "n": null, "comparison": "includes", "bound": ["ethics"]},
		"says": "afam has privacy, law (measured by fairness), passes with ethics.",
	},
	"an empty list": {
		"check": {"measured": [], "n": null, "comparison": "includes", "bound": ["ethics"]},
		"says": "afam has none (measured by fairness), passes with ethics.",
	},
	"a list that must be empty": {
		"check": {"measured": ["bob"], "n": null, "comparison": "==", "bound": []},
		"says": "afam has bob (measured by fairness), passes as none.",
	},
	"a long list": {
		"check": {"measured": numbers.range(1, 10), "n": null, "comparison": "includes", "bound": [[1]]},
		"says": "afam has 1, 2, 3, 4, 5, 6, 7, 8 and 2 more (measured by fairness), passes with [1].",
	},
	"a report": {
		"check": {"origin": "reported"},
		"says": concat(" ", [
			"afam measured 0.1041 (n = 2,380, reported by mallory for fairness), passes at ≤ 0.05 and if Mandate measured",
			"it: production does not accept what is only reported (thresholds/evidence.yaml:5).",
		]),
	},
	"a report that would do": {
		"check": {"origin": "reported", "measured": 0.01, "proven": true},
		"says": concat(" ", [
			"afam measured 0.01 (n = 2,380, reported by mallory for fairness), which would pass if Mandate had measured",
			"it: production does not accept what is only reported (thresholds/evidence.yaml:5).",
		]),
	},
	"a report that somebody logged": {
		"check": {"origin": "reported", "collector": "mlflow"},
		"says": concat(" ", [
			"afam measured 0.1041 (n = 2,380, reported, as mlflow found it), passes at ≤ 0.05 and if Mandate measured",
			"it: production does not accept what is only reported (thresholds/evidence.yaml:5).",
		]),
	},
	"a hostile name": {
		"check": {"term": "%s${x}\u001b[31m\n\"; allow"},
		"says": `"%s${x}�[31m�\"; allow" measured 0.1041 (n = 2,380, measured by fairness), passes at ≤ 0.05.`,
	},
}

test_sentences[note] if {
	some note, case in sentences
	wording.failed(check(case.check)) == case.says with input as testing.changed(reported)
}

test_names[note] if {
	some note, case in {
		"plain": {"name": "afam × single: yes/no (é)", "shown": "afam × single: yes/no (é)"},
		"a format": {"name": "%d%s", "shown": "%d%s"},
		"quotes": {"name": `a"b`, "shown": `"a\"b"`},
		"space around": {"name": " a", "shown": `" a"`},
		"nothing": {"name": "", "shown": `""`},
		"a line feed": {"name": "a\nb", "shown": `"a�b"`},
		"reordered text": {"name": "a\u202eb", "shown": `"a�b"`},
		"an escape": {"name": "\u001b[2J", "shown": `"�[2J"`},
		"a C1 control": {"name": "a\u009bb", "shown": `"a�b"`},
		"no name": {"name": 7, "shown": `7`},
	}
	wording.name(case.name) == case.shown
}

test_a_long_name_is_cut if {
	long := concat("", ["a" | some _ in numbers.range(1, 10000)])
	count(wording.name(long)) == 403
	count(wording.name(substring(long, 0, 120))) == 120
}

test_numbers[note] if {
	some note, case in {
		"four digits": {"measured": 0.104123, "bound": 0.05, "shown": "0.1041"},
		"all digits where four would be on the bound": {"measured": 0.05000001, "bound": 0.05, "shown": "0.05000001"},
		"all digits where four would be beyond the bound": {"measured": 0.0500499, "bound": 0.05005, "shown": "0.0500499"},
		"on the bound": {"measured": 0.05, "bound": 0.05, "shown": "0.05"},
		"just below": {"measured": 0.79999, "bound": 0.8, "shown": "0.79999"},
		"whole": {"measured": 1234567, "bound": 5, "shown": "1,234,567"},
		"a whole fraction": {"measured": 2.0, "bound": 5, "shown": "2"},
		"a thousand": {"measured": 1000, "bound": 5, "shown": "1,000"},
		"zero": {"measured": 0, "bound": 5, "shown": "0"},
		"less than nothing": {"measured": -1234, "bound": 0, "shown": "-1,234"},
		"a fraction below nothing": {"measured": -3.25, "bound": 0, "shown": "-3.25"},
		"huge": {"measured": 1e300, "bound": 0, "shown": "1e+300"},
		"no bound": {"measured": 0.123456, "bound": "NaN", "shown": "0.1235"},
	}
	wording.number(case.measured, case.bound) == case.shown
}

obstacles := {
	"missing": {
		"entry": {"name": "fairness", "status": "missing", "reason": "not configured:\nmandate.yaml has none."},
		"says": "not shown for afam. The collector fairness found nothing: not configured:�mandate.yaml has none.",
	},
	"failed": {
		"entry": {"name": "fairness", "status": "failed", "reason": "it broke"},
		"says": "not shown for afam. The collector fairness could not find out: it broke.",
	},
	"not asked": {
		"entry": {"name": "another", "status": "failed", "reason": "it broke"},
		"says": "not shown for afam. The collection has not one entry for the collector fairness.",
	},
	"silent": {
		"entry": {"name": "fairness", "status": "collected"},
		"says": "not shown for afam. What fairness returned does not say.",
	},
}

test_obstacles[note] if {
	some note, case in obstacles
	wording.unproven("afam", ["fairness"]) == case.says with input as {"collection": [case.entry]}
}

stale(minutes) := says if {
	reused := {
		"name": "fairness",
		"status": "collected",
		"origin": "measured",
		"collected_at": "2026-11-20T09:00:00Z",
		"reused": {"index": 7},
	}
	document := {
		"request": {"environment": "staging", "time": "2026-11-20T09:30:20Z"},
		"subject": {"name": "credit", "risk_tier": "low"},
		"collection": [reused],
	}
	settings := {"fairness": {"default": {"value": minutes, "set_at": "x:1"}}}
	says := wording.unproven("afam", ["fairness"]) with input as document with data.mandate.thresholds.evidence.fresh_minutes as settings
}

test_stale_facts_are_said_to_be_stale if {
	stale(10) == "not shown for afam. The facts of fairness are of 30 minutes ago, and those of at most 10 count here."
	stale(0) == "not shown for afam. The facts of fairness are of 30 minutes ago, and only those that are collected anew count here."
	stale(31) == "not shown for afam. What fairness returned does not say."
}

test_facts_of_an_unknown_time_are_stale if {
	collection := [{"name": "fairness", "status": "collected", "reused": {"index": 7}}]
	says := "not shown. The facts of fairness are of an unknown time, and only those that are collected anew count here."
	wording.unproven("*", ["fairness"]) == says with input as {"collection": collection}
}

test_obstacles_of_several_collectors_stand_beside_each_other if {
	collection := [{"name": "a", "status": "missing", "reason": "no a"}, {"name": "b", "status": "collected"}]
	says := "not shown. The collector a found nothing: no a. The collection has not one entry for the collector c."
	wording.unproven("*", ["a", "b", "c"]) == says with input as {"collection": collection}
	wording.unproven("*", ["b", "b"]) == "not shown. What b and b returned does not say." with input as {"collection": collection}
}
