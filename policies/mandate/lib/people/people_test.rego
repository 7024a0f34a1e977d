package mandate.lib.people_test

import data.mandate.lib.people
import data.mandate.testing

known := {"ana@bank.example": {
	"name": "ana@bank.example",
	"keys": {"SHA256:ana": "ssh-ed25519 AAAA"},
	"roles": ["risk_officer"],
	"identities": ["bob@bank.example"],
	"set_at": "organisation/people/risk.yaml:1",
}}

test_a_person_is_one_however_it_is_written if {
	people.person(" Ada@Bank.example\n") == "ada@bank.example"
	people.person("ÉMILE") == "émile"
}

test_nobody_is_no_person[note] if {
	some index, identity in ["", "  ", null, 7, ["ada"]]
	note := sprintf("%d", [index])
	not people.person(identity)
}

test_all_names_of_a_developer_and_the_runs_user_are_authors if {
	developers := [
		{"name": "Ada", "identities": ["ada@bank.example", " "]},
		{"name": "ben"},
	]
	changed := testing.changed([
		testing.replaced("/developers", developers),
		testing.replaced("/model/source/user", "Cy"),
	])
	people.authors == {"ada", "ada@bank.example", "ben", "cy"} with input as changed
}

test_where_no_developer_is_known_nobody_is_an_author if {
	people.authors == set() with input as testing.changed([testing.replaced("/developers", [])])
}

test_an_author_is_one_by_any_name if {
	people.is_author("bob@bank.example") with input as testing.good
	people.is_author("ana@bank.example") with input as testing.good with data.mandate.people as known
	not people.is_author("ana@bank.example") with input as testing.good with data.mandate.people as {}
}

test_only_a_persons_own_keys_sign_for_them if {
	not people.not_by("ana@bank.example", "SHA256:ana") with data.mandate.people as known
	said := people.not_by("ana@bank.example", "SHA256:other") with data.mandate.people as known
	said == "it is signed by a key that is not theirs"
	unsaid := people.not_by("ana@bank.example", null) with data.mandate.people as known
	unsaid == "it is signed by a key that is not theirs"
	unknown := people.not_by("eve@bank.example", "SHA256:ana") with data.mandate.people as known
	unknown == "the policies know no such person"
}

test_who_is_nobody_signs_for_nobody if {
	people.signer(" Ana@Bank.example") == "ana@bank.example"
	people.signer(null) == ""
	people.signer(" ") == ""
}

test_roles_are_those_that_the_policies_give if {
	people.roles("ana@bank.example") == {"risk_officer"} with data.mandate.people as known
	people.roles("eve@bank.example") == set() with data.mandate.people as known
}
