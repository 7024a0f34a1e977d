"""The texts of a new rule. What somebody has to fill in says TODO; `opa fmt` does the rest of the format."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

TODO = "TODO"

METADATA = Template("""\
# METADATA
# title: $title
# description: |
#   $id: TODO say which facts are judged, against what, and what is meant to have no verdict.
# custom:
#   failure_msg: TODO say in one clause what is wrong when it fails
#   solution: TODO say what the model's team can do then.
#   severity: $severity
#   collections: [$category]
#   controls:
#     - TODO name the law, standard or internal policy that asks for it
#   effective_on: "$effective_on"
#   depends_on: [$collector]
#   actions: [promote, deploy]
$replaces#   waivable: true
#   thresholds:
#     $id: $schema
""")

REPLACES = Template("""\
#   replaces:
#     rule: $rule
#     reason: TODO say why this organisation judges otherwise
""")

_IMPORTS = """\
package mandate.rules.$category.$name

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.$category as settings
"""

RULES: Mapping[str, Template] = {
    "fairness": Template(
        _IMPORTS
        + """
terms contains attribute.name if some attribute in input.fairness.attributes

# TODO: name the figure, such as equalized_odds_difference.
must contains $function(attribute.name, $figure("$collector", metric), bound) if {
	some attribute in input.fairness.attributes
	some metric in attribute.metrics
	metric.name == "TODO"
	bound := thresholds.of(settings.$name)
}
"""
    ),
    "performance": Template(
        _IMPORTS
        + """
# TODO: name the metric, such as recall. It must be measured.
terms := {"TODO"}

must contains $function(metric.name, $figure("$collector", metric), bound) if {
	some metric in input.performance.metrics
	metric.name in terms
	bound := thresholds.of(settings.$name)
}
"""
    ),
    "": Template(
        _IMPORTS
        + """
# TODO: name what is judged, as findings are to call it.
terms := {"TODO"}

must contains $function(term, _fact, thresholds.of(settings.$name)) if some term in terms

# TODO: the fact, such as $example
_fact := facts.derived("$collector", null)
"""
    ),
}
"""By the collector whose figures have names; otherwise one fact is judged."""

CHANGES: Mapping[str, Template] = {
    "fairness": Template("""\
# TODO: where the figure stands in the good input, which is mandate/testing/data.json of the library.
place := "/fairness/attributes/0/metrics/TODO/value"

value(measured) := [testing.replaced(place, measured)]
"""),
    "performance": Template("""\
# TODO: name the metric.
metric := "TODO"

value(measured) := [testing.replaced("/performance/metrics/0", {
	"name": metric,
	"value": measured,
	"sample_size": 2380,
	"origin": "measured",
})]
"""),
    "": Template("""\
# TODO: name what is judged, as the rule does.
term := "TODO"

# TODO: where it stands in the good input, which is mandate/testing/data.json of the library.
place := "/$section/TODO"

value(measured) := [testing.replaced(place, measured)]
"""),
}
"""What puts another value to the place of the one that is judged."""

VERDICTS: Mapping[str, Template] = {
    "fairness": Template('{"afam": "$verdict", "single": "holds"}'),
    "performance": Template('{metric: "$verdict"}'),
    "": Template('{term: "$verdict"}'),
}

LISTS: Mapping[str, tuple[str, str]] = {
    "fairness": ("/fairness/attributes", '{"*": "no verdict"}'),
    "performance": ("/performance/metrics", '{metric: "no verdict"}'),
}
"""Where the list of what is judged stands, and the verdicts where it is empty."""

_IS_MEASURED = """
default is_measured := false

is_measured if {
	every term in rule.terms {
		some check in rule.must
		check.term == term
		check.measured != null
	}
}
"""

STEPS: Mapping[str, Template] = {
    "fairness": Template(
        """\
steps := {
	"name the figure in $rule.rego": is_measured,
	"say in ${rule}_test.rego where that figure stands in the good input": is_named(place),
}
"""
        + _IS_MEASURED
    ),
    "performance": Template("""\
steps := {
	"name the metric in $rule.rego": is_named(concat(" ", rule.terms)),
	"name the metric in ${rule}_test.rego": is_named(metric),
}
"""),
    "": Template(
        """\
steps := {
	"name what is judged in $rule.rego": is_named(concat(" ", rule.terms)),
	"put the fact in place of null in $rule.rego": is_measured,
	"name what is judged in ${rule}_test.rego": is_named(term),
	"say in ${rule}_test.rego where the fact stands in the good input": is_named(place),
}
"""
        + _IS_MEASURED
    ),
}
"""What is to be filled in, and whether it is."""

TEST = Template("""\
package mandate.rules.${id}_test

import data.mandate.rules.$id as rule
import data.mandate.testing

$changes
cases := {
$cases
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

# TODO: remove this, and all below, when it passes.
test_filled_in[step] if {
	some step, done in steps with input as testing.good
	done
}

$steps
default is_named(_) := false

is_named(text) if not contains(text, "TODO")
""")

THRESHOLD = Template("""\
# TODO: what this bounds and in which unit, who decided it, and where that is written.
$name:
  default: $threshold
""")
