# METADATA
# description: |
#   People: whom an identity stands for, who made the model, and what the policies' own data (`data.mandate.people`) say
#   of those who sign: their keys, their roles, and by which other names they are known.
package mandate.lib.people

import data.mandate.people as known

# METADATA
# description: |
#   Whom an identity stands for. Case and surrounding space do not make another person; an empty name is nobody.
person(identity) := folded if {
	is_string(identity)
	folded := lower(trim_space(identity))
	folded != ""
}

# METADATA
# description: The same, and empty for nobody, whom the policies do not know.
signer(identity) := one if {
	one := person(identity)
} else := ""

# METADATA
# description: Everybody who made the model, the developers and the run's user, by all names that are known of them.
# scope: document
authors contains author if {
	some developer in input.developers
	some identity in array.concat([developer.name], object.get(developer, "identities", []))
	author := person(identity)
}

authors contains person(input.model.source.user) if input.developers[0]

# METADATA
# description: Holds if the person, by any name that is known of them, made the model.
is_author(one) if {
	some name in ({one} | {name | some name in known[one].identities})
	name in authors
}

# METADATA
# description: |
#   Why nobody can take what this key signed for what this person says. Undefined if the key is theirs.
not_by(one, keyid) := "the policies know no such person" if {
	not known[one]
} else := "it is signed by a key that is not theirs" if not known[one].keys[keyid]

# METADATA
# description: The roles that the policies give a person.
roles(one) := {role | some role in known[one].roles}
