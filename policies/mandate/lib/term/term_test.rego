package mandate.lib.term_test

import data.mandate.lib.term

long(last) := concat("", [concat("", ["é" | some _ in numbers.range(1, 500)]), last])

test_parts_are_joined if term.of(["afam", "yes"]) == "afam: yes"

test_a_name_is_at_most_512_characters if {
	count(term.of([long("a"), long("b")])) == 466
}

test_long_names_stay_different if {
	term.of([long("a"), "x"]) != term.of([long("b"), "x"])
}
