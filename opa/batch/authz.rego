package system.authz

# METADATA
# description: Besides the one question, it may be asked about many inputs at once. No sidecar is asked so.
allow if {
	input.method == "POST"
	input.path == ["v1", "data", "batch"]
	input.params == {
		"strict-builtin-errors": ["true"],
		"provenance": ["true"],
	}
	object.keys(input.body) == {"input"}
	identified
}
