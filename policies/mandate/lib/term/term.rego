# METADATA
# description: Names of terms that have several parts, such as an attribute and one of its groups.
package mandate.lib.term

# METADATA
# description: |
#   The parts with `: ` between them. What is longer than 400 characters is cut and ends with the digest of the
#   whole, because a name has at most 512 characters.
of(parts) := _short(concat(": ", parts))

_short(name) := name if {
	count(name) <= 400
} else := sprintf("%s… %s", [substring(name, 0, 400), crypto.sha256(name)])
