# METADATA
# description: |
#   Instants as the input writes them: RFC 3339 in UTC, such as `2026-11-01T00:00:00.5Z`. They are compared as text,
#   because `time.parse_rfc3339_ns` fails outside of the years 1677 to 2262, and certificates that "never" expire
#   do so in 9999. Anything else is no instant: what depends on it is undefined.
package mandate.lib.instants

# METADATA
# description: The instant of the request, the only clock there is.
now := key(input.request.time)

# METADATA
# description: |
#   What stands for the instant in comparisons. Without its `Z` and the zeros that end a fraction, a whole second is a
#   prefix of its fractions, and one instant has one text: the order of the texts is the order of the instants.
key(text) := trim_suffix(text, "Z") if {
	is_string(text)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,8}[1-9])?Z$`, text)
} else := trim_right(trim_right(text, "0Z"), ".") if {
	is_string(text)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}Z$`, text)
}

# METADATA
# description: Holds if the instant has come.
has_come(text) if key(text) <= now

# METADATA
# description: Holds if the instant is yet to come.
is_to_come(text) if key(text) > now

# METADATA
# description: Days from the instant to the request, negative if it is to come. Years 1700 to 2199 only.
days_since(text) := days_between(text, input.request.time)

# METADATA
# description: Days from one instant to another, negative if that one is earlier. Years 1700 to 2199 only.
days_between(begin, end) := (_nanoseconds(end) - _nanoseconds(begin)) / ((24 * 3600) * 1000000000)

_nanoseconds(text) := time.parse_rfc3339_ns(text) if {
	key(text)
	regex.match(`^(1[7-9]|2[01])`, text)
}
