from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadConfiguration, BadInput, BadPolicy
from mandate.engine.strict_yaml import MAX_BYTES, MAX_DEPTH, boolean_advice, load, load_file


def test_every_value_has_its_line() -> None:
    document = load(b"# why\na: 1\nb:\n  - x: 0.10\n  - 'on'\n\nc:\n  d: {e: ~}\n", BadPolicy, name="f.yaml")
    assert document.value == {"a": 1, "b": [{"x": 0.1}, "on"], "c": {"d": {"e": None}}}
    assert {place: line for place, line in document.lines.items() if place} == {
        ("a",): 2,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 0, "x"): 4,
        ("b", 1): 5,
        ("c",): 7,
        ("c", "d"): 8,
        ("c", "d", "e"): 8,
    }
    assert document.where(("b", 0, "x", "nowhere")) == "f.yaml:4"
    assert document.where(("nowhere",)) == "f.yaml:2"


def test_an_empty_file_is_nothing_at_line_1() -> None:
    document = load(b"# only a comment\n", BadPolicy, name="f.yaml")
    assert (document.value, document.where(("a",))) == (None, "f.yaml:1")


SCALARS: dict[str, object] = {
    "no": "no",
    "Yes": "Yes",
    "on": "on",
    "2026-01-01": "2026-01-01",
    "12:30": "12:30",
    "1_000": "1_000",
    "1.2.3": "1.2.3",
    "0x1F": 31,
    "0o17": 15,
    "-7": -7,
    "+7": 7,
    ".5": 0.5,
    "1.": 1.0,
    "-1.5e-3": -0.0015,
    "true": True,
    "FALSE": False,
    "null": None,
    "~": None,
    '"true"': "true",
    "'0.05'": "0.05",
    "9007199254740991": 2**53 - 1,
    '"\\t"': "\t",
    '"<<"': "<<",
}


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_are_read_by_the_core_schema(text: str) -> None:
    value = load(f"a: {text}\n".encode(), BadPolicy, name="f.yaml").value["a"]
    assert (type(value), value) == (type(SCALARS[text]), SCALARS[text])


FAULTS: dict[str, tuple[bytes, str]] = {
    "key twice": (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' is already set in line 1. Keep one of them."),
    "empty key twice": (b"'': 1\nb: 1\n'': 3\n", "f.yaml:3: '' is already set in line 1. Keep one of them."),
    "key twice in braces": (b"{a: 1, a: 2}", "f.yaml:1: 'a' is already set in line 1. Keep one of them."),
    "anchor": (
        b"a: &x 1\n",
        "f.yaml:1: there is an anchor or alias. Write the value out where it is needed.",
    ),
    "alias": (
        b"b: 1\na: *x\n",
        "f.yaml:2: there is an anchor or alias. Write the value out where it is needed.",
    ),
    "anchor on a key": (
        b"&x a: 1\n",
        "f.yaml:1: there is an anchor or alias. Write the value out where it is needed.",
    ),
    "merge key": (b"<<: {a: 1}\n", "f.yaml:1: there is a merge key. Write the values out."),
    "tag": (
        b"a: !!python/object:os.system x\n",
        "f.yaml:1: there is a tag. Remove the word that begins with !.",
    ),
    "bare tag": (b"a: ! x\n", "f.yaml:1: there is a tag. Remove the word that begins with !."),
    "directive": (
        b"%YAML 1.1\n---\na: no\n",
        "f.yaml:2: there is a directive. Remove the line that begins with %.",
    ),
    "second document": (
        b"---\na: 1\n---\nb: 1\n",
        "f.yaml:3: a second document begins here. Keep one document a file.",
    ),
    "tab": (b"a:\n\tb: 1\n", "f.yaml:2: there is a tab. Indent with spaces."),
    "tab in text": (b"a: 'x\ty'\n", "f.yaml:1: there is a tab. Indent with spaces."),
    "control character": (b"a: 1\nb: \x00\n", "f.yaml:2: there is a control character. Remove it."),
    "key is a number": (b"1: x\n", "f.yaml:1: a key is not text. Put it in quotes."),
    "key is a list": (b"? [a]\n: 3\n", "f.yaml:1: a key is not text. Put it in quotes."),
    "padded number": (b"a: 007\n", "f.yaml:1: a number begins with 0. Put it in quotes if it is a name."),
    "inexact": (
        b"a: 9007199254740992\n",
        "f.yaml:1: an integer is too large to be exact. Put it in quotes if it is a name.",
    ),
    "digits without end": (
        b"a: " + b"9" * 9999,
        "f.yaml:1: an integer is too large to be exact. Put it in quotes if it is a name.",
    ),
    "infinity": (b"a: -.inf\n", "f.yaml:1: a number is not finite. Use a finite number."),
    "not a number": (b"a: .nan\n", "f.yaml:1: a number is not finite. Use a finite number."),
    "overflow": (b"a: 1e999\n", "f.yaml:1: a number is too large. Use a finite number."),
    "syntax": (
        b"a: 1\nb: c: d\n",
        "f.yaml:2: not YAML: mapping values are not allowed here. Correct the syntax.",
    ),
    "escapes in a message": (b"a: @\x1b[31m\n", "f.yaml:1: there is a control character. Remove it."),
    "not UTF-8": (b"a: \xff\n", "f.yaml: the file is not UTF-8. Save it as UTF-8."),
    "too deep": (b"[" * 100_000, "f.yaml:1: it is nested deeper than 32. Flatten it."),
    "too large": (b"#" * (MAX_BYTES + 1), "f.yaml: the file is over 1 MiB. Split it."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_traps_are_refused_with_their_line(name: str) -> None:
    content, message = FAULTS[name]
    with pytest.raises(BadPolicy) as raised:
        load(content, BadPolicy, name="f.yaml")
    assert str(raised.value) == message


def test_limits_are_inclusive() -> None:
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    large = b"#" * MAX_BYTES
    assert load(large, BadPolicy, name="f.yaml").value is None
    assert json.dumps(load(deep, BadPolicy, name="f.yaml").value) == deep.decode()


def test_faults_are_of_the_class_that_the_caller_names(tmp_path: Path) -> None:
    file = tmp_path / "mandate.yaml"
    file.write_bytes(b"a: *x\n")
    with pytest.raises(BadConfiguration) as raised:
        load_file(file, BadConfiguration)
    assert raised.value.where == f"{file}:1"
    with pytest.raises(BadInput) as input_raised:
        load_file(file, BadInput, name="developers.yaml")
    assert input_raised.value.where == "developers.yaml:1"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as raised:
        load_file(tmp_path / "absent.yaml", BadConfiguration)
    assert str(raised.value) == (
        f"{tmp_path}/absent.yaml: the file cannot be read: No such file or directory. "
        "Check its path and permissions."
    )


def test_a_boolean_of_yaml_1_1_gets_advice() -> None:
    assert boolean_advice("NO") == "Write false: in YAML 1.2 the word NO is text"
    assert boolean_advice("on") == "Write true: in YAML 1.2 the word on is text"
    assert boolean_advice("maybe") is None
    assert boolean_advice(True) is None


_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_TEXT, below, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_json_means_the_same_in_yaml(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert load(text.encode(), BadPolicy, name="f.yaml").value == value


@given(st.binary(max_size=200))
def test_bytes_are_a_document_or_one_error(content: bytes) -> None:
    try:
        document = load(content, BadPolicy, name="f.yaml")
    except BadPolicy as error:
        assert str(error).isprintable()  # noqa: PT017  (either outcome is right)
    else:
        json.dumps(document.value, allow_nan=False)
