# METADATA
# description: Which value of a layered setting holds for the request's model, environment and risk tier.
package mandate.lib.thresholds

import data.mandate.scope

# METADATA
# description: |
#   The bound `{value, set_at}`: the model's own, else its family's, else the tier's in the environment, else the
#   environment's, else the tier's, else the default. An environment that the scope does not list has none, not
#   even the default.
of(setting) := bound if {
	# Most settings have a default alone, and this is on the way of every check.
	count(setting) == 1
	environment
	bound := setting["default"]
} else := bound if {
	environment
	bound := setting.models[input.subject.name]
} else := bound if {
	environment
	bound := setting.families[scope.families[input.subject.name]]
} else := bound if {
	bound := setting.tiers_in_environments[environment][tier]
} else := bound if {
	bound := setting.environments[environment]
} else := bound if {
	environment
	bound := setting.tiers[tier]
} else := bound if {
	environment
	bound := setting["default"]
}

# METADATA
# description: |
#   A bound that no setting sets: another fact, or what the rule means by itself.
fixed(value) := {"value": value, "set_at": null}

# METADATA
# description: The request's environment, if the scope lists it.
environment := input.request.environment if input.request.environment in scope.environments

# METADATA
# description: The model's risk tier. One that the scope does not list counts as the highest.
tier := input.subject.risk_tier if {
	input.subject.risk_tier in scope.risk_tiers
} else := scope.risk_tiers[count(scope.risk_tiers) - 1]
