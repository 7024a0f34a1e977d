# METADATA
# title: What decision logs must not hold
# description: >-
#   Mandate keeps its own signed record of each decision, and OPA's decision logs are off. Should somebody turn
#   them on, what was asked and answered stays out of them: it names people.
package system.log

# METADATA
# description: JSON pointers that are erased from each entry.
# entrypoint: true
mask contains "/input"

mask contains "/result"

mask contains "/nd_builtin_cache"
