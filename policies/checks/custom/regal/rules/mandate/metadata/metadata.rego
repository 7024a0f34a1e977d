# METADATA
# description: |
#   The METADATA of a rule is complete and well typed. The compiler says so, too, and more, of the names that it knows;
#   this says so in an editor.
package custom.regal.rules.mandate.metadata

import data.regal.result

_texts := {"failure_msg", "solution"}

_lists := {"actions", "collections", "controls", "depends_on"}

_required := (_texts | _lists) | {"effective_on", "severity", "waivable"}

_known := _required | {"environments", "replaces", "thresholds"}

_severities := ["low", "medium", "high", "critical"]

_actions := {"deploy", "monitor", "promote"}

_collectors := {
	"approvals",
	"data_schema",
	"developers",
	"documentation",
	"drift",
	"fairness",
	"mlflow",
	"performance",
	"provenance",
}

_path := [part.value | some part in input["package"].path]

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not endswith(_path[count(_path) - 1], "_test")
}

_annotation := annotation if {
	some annotation in input["package"].annotations
	annotation.scope == "package"
}

_custom := object.get(_annotation, "custom", {})

report contains _at("a rule has METADATA → write it above the package") if {
	_is_rule
	not _annotation
}

report contains _at(sprintf("METADATA lacks %s → add it as text", [key])) if {
	_is_rule
	some key in ["title", "description"]
	not _is_text(object.get(_annotation, key, ""))
}

report contains _at(sprintf("METADATA lacks custom.%s → add it", [key])) if {
	_is_rule
	_annotation
	some key in (_required - object.keys(_custom))
}

report contains _at(sprintf("METADATA has the unknown custom.%s → correct its name, or remove it", [key])) if {
	_is_rule
	some key in (object.keys(_custom) - _known)
}

report contains _at(sprintf("custom.%s is not text → write text", [key])) if {
	_is_rule
	some key in _texts
	not _is_text(object.get(_custom, key, "absent"))
}

report contains _at(sprintf("custom.%s is not a list of different texts → write it as [text, …]", [key])) if {
	_is_rule
	some key in (_lists | {"environments"})
	not _is_texts(object.get(_custom, key, ["absent"]))
}

report contains _at(sprintf("custom.severity is unknown → write one of %s", [concat(", ", _severities)])) if {
	_is_rule
	not object.get(_custom, "severity", "low") in _severities
}

report contains _at(sprintf("there is no action %v → write some of %s", [action, concat(", ", _actions)])) if {
	_is_rule
	some action in _custom.actions
	not action in _actions
}

report contains _at(sprintf("there is no collector %v → write some of %s", [name, concat(", ", _collectors)])) if {
	_is_rule
	some name in _custom.depends_on
	not name in _collectors
}

report contains _at("custom.effective_on is not an instant → write it in quotes, as \"2026-01-01T00:00:00Z\"") if {
	_is_rule
	not _is_instant(object.get(_custom, "effective_on", "2026-01-01T00:00:00Z"))
}

report contains _at("custom.waivable is not a boolean → write true or false") if {
	_is_rule
	not is_boolean(object.get(_custom, "waivable", true))
}

report contains _at("custom.thresholds is not a mapping → write it as {name: {type: number}}") if {
	_is_rule
	not is_object(object.get(_custom, "thresholds", {}))
}

report contains _at("custom.replaces is not complete → write it as {rule: category.rule, reason: text}") if {
	_is_rule
	not _is_replacement(object.get(_custom, "replaces", {"rule": "a.b", "reason": "absent"}))
}

_is_text(value) if {
	is_string(value)
	trim_space(value) != ""
}

_is_texts(value) if {
	is_array(value)
	count(value) == count({item | some item in value})
	every item in value {
		_is_text(item)
	}
}

# RFC 3339 in UTC, of a day that there is.
_is_instant(value) if {
	is_string(value)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`, value)
	time.parse_rfc3339_ns(value)
}

_is_replacement(value) if {
	is_object(value)
	object.keys(value) == {"rule", "reason"}
	regex.match(`^[a-z0-9_]+\.[a-z0-9_]+$`, value.rule)
	_is_text(value.reason)
}

_at(description) := result.fail(rego.metadata.chain(), object.union(
	result.location(input["package"]),
	{"description": description},
))
