# METADATA
# title: Who may ask this OPA what
# description: >-
#   Only the two calls that Mandate makes are authorised: the one question, and whether OPA is ready.
#   Nothing can be read, written, compiled or queried beside them.
#   If OPA runs with the environment variable MANDATE_OPA_TOKEN and `--authentication=token`, a question
#   needs that token too.
package system.authz

# METADATA
# description: Whether OPA may answer this HTTP request.
# entrypoint: true
default allow := false

allow if {
	input.method == "POST"
	input.path == ["v1", "data", "mandate", "main", "decision"]

	# Exactly these: without strict-builtin-errors an error in a builtin would be taken for "undefined", and
	# without provenance nobody could tell which policies answered.
	input.params == {
		"strict-builtin-errors": ["true"],
		"provenance": ["true"],
	}
	object.keys(input.body) == {"input"}
	identified
}

# For probes, which have no token.
allow if {
	input.method == "GET"
	input.path == ["health"]
	input.params == {}
}

environment := object.get(opa.runtime(), "env", {})

identified if not environment.MANDATE_OPA_TOKEN

identified if input.identity == environment.MANDATE_OPA_TOKEN
