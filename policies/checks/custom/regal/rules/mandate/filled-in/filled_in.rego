# METADATA
# description: |
#   Nothing is left of what `mandate policy new` writes to be filled in, neither in METADATA nor in a comment.
package custom.regal.rules.mandate["filled-in"]

import data.regal.ast
import data.regal.result

report contains violation if {
	some comment in ast.comments_decoded
	[_, what] := regex.split(`\bTODO\b:?`, comment.text)
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(comment),
		{"description": sprintf("to be filled in → %s", [trim_space(what)])},
	))
}
