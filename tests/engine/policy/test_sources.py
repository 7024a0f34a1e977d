from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadPolicy
from mandate.engine.policy import folder
from mandate.engine.policy.sources import MAX_BYTES, Kind, Source, Sources, read

from .conftest import FILES, write


def test_files_are_sorted_into_what_decides_and_what_tests(library: Path) -> None:
    write(
        library,
        {
            "README.md": "# Policies",
            "checks/a/a.rego": "package custom",
            "schemas/input.json": "{}",
            ".regal/config.yaml": "rules: {}",
            "mandate/testing/data.json": "{}",
            "mandate/rules/fairness/parity/README.md": "Why",
        },
    )
    assert [(source.path, source.kind) for source in read([library]).files] == [
        ("mandate/main/main.rego", Kind.REGO),
        ("mandate/rules/fairness/parity/parity.rego", Kind.REGO),
        ("mandate/rules/fairness/parity/parity_test.rego", Kind.TEST),
        ("mandate/testing/data.json", Kind.TEST),
        ("mandate/testing/testing.rego", Kind.TEST),
        ("scope.yaml", Kind.YAML),
        ("selection.yaml", Kind.YAML),
        ("thresholds/fairness.yaml", Kind.YAML),
    ]


def test_the_revision_does_not_depend_on_the_place(library: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "some" / "where" / "else", dict(reversed(list(FILES.items()))))
    assert read([library]).revision == read([elsewhere]).revision


def test_tests_do_not_change_the_revision(library: Path) -> None:
    before = read([library]).revision
    write(
        library,
        {"mandate/main/main_test.rego": "package mandate.main_test\n", "mandate/testing/data.json": "{}"},
    )
    assert read([library]).revision == before


@pytest.mark.parametrize("path", [path for path in FILES if "test" not in path])
def test_each_deciding_file_changes_the_revision(path: str, library: Path) -> None:
    before = read([library]).revision
    write(library, {path: FILES[path] + "\n"})
    assert read([library]).revision != before


def test_the_order_of_the_roots_is_part_of_the_revision(library: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"thresholds/fairness.yaml": "parity: {models: {credit: 0.1}}\n"})
    assert read([library, other]).revision != read([other, library]).revision


@given(
    st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3)),
    st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3)),
)
def test_the_revision_is_equal_only_for_equal_sources(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    def revision(files: dict[str, bytes]) -> str:
        return Sources(tuple(Source(0, path, Kind.YAML, content) for path, content in files.items())).revision

    assert (revision(one) == revision(other)) == (one == other)


def test_labels_tell_the_roots_apart(library: Path, tmp_path: Path) -> None:
    roots = [library]
    for name in ("bank", "team"):
        roots.append(
            write(tmp_path / name, {"thresholds/fairness.yaml": "", f"mandate/lib/{name}/{name}.rego": ""})
        )
    sources = read(roots)
    assert [source.label for source in sources.of(Kind.YAML) if source.path.startswith("thresholds")] == [
        "thresholds/fairness.yaml",
        "organisation/thresholds/fairness.yaml",
        "organisation-2/thresholds/fairness.yaml",
    ]
    assert sources.label("mandate/lib/bank/bank.rego") == "organisation/mandate/lib/bank/bank.rego"
    assert sources.label("unknown.rego") == "unknown.rego"


def fault(*roots: Path) -> str:
    with pytest.raises(BadPolicy) as raised:
        read(roots)
    return str(raised.value)


def test_a_package_of_an_earlier_root_is_not_defined_again(library: Path, tmp_path: Path) -> None:
    again = write(
        tmp_path / "again",
        {"mandate/rules/fairness/parity/more.rego": "package mandate.rules.fairness.parity\n"},
    )
    assert fault(library, again) == (
        "organisation/mandate/rules/fairness/parity/more.rego: "
        "the package mandate.rules.fairness.parity is already defined by an earlier folder of policies. "
        "Give the package another name, or change the other one by its thresholds."
    )


def test_a_package_of_an_earlier_root_is_not_defined_from_above(library: Path, tmp_path: Path) -> None:
    above = write(tmp_path / "above", {"mandate/above.rego": "package mandate\n\nmain.decision := {}\n"})
    assert fault(library, above).startswith(
        "organisation/mandate/above.rego: the package mandate.main is already defined"
    )


@pytest.mark.parametrize("path", [path for path in FILES if "test" in path])
def test_a_test_of_an_earlier_root_is_not_replaced(path: str, library: Path, tmp_path: Path) -> None:
    assert fault(library, write(tmp_path / "again", {path: ""})) == (
        f"organisation/{path}: an earlier folder of policies has this file. Give it another name."
    )


def test_a_package_beside_another_is_added(library: Path, tmp_path: Path) -> None:
    beside = write(
        tmp_path / "beside",
        {"mandate/rules/fairness/parity_b/b.rego": "package mandate.rules.fairness.parity_b\n"},
    )
    assert (
        read([library, beside]).of(Kind.REGO)[-1].label
        == "organisation/mandate/rules/fairness/parity_b/b.rego"
    )


def test_a_link_inside_the_folder_is_followed(library: Path) -> None:
    """As Kubernetes mounts a ConfigMap: names that link into a hidden folder."""
    before = read([library]).revision
    (library / "..data").mkdir()
    (library / "scope.yaml").rename(library / "..data" / "scope.yaml")
    (library / "scope.yaml").symlink_to("..data/scope.yaml")
    (library / "mandate").rename(library / "..data" / "mandate")
    (library / "mandate").symlink_to("..data/mandate")
    assert read([library]).revision == before


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside", "nowhere/../../../outside"])
def test_a_link_out_of_the_folder_is_refused(target: str, library: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("parity: {default: 1}")
    (library / "thresholds" / "fairness.yaml").unlink()
    (library / "thresholds" / "fairness.yaml").symlink_to(target)
    assert fault(library) == (
        "thresholds/fairness.yaml: a link leads out of the folder of policies. Put a copy there."
    )


def test_a_link_to_a_folder_outside_is_refused(library: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (library / "mandate" / "lib").symlink_to(tmp_path / "outside")
    assert fault(library) == ("mandate/lib: a link leads out of the folder of policies. Put a copy there.")


def test_a_link_to_a_sibling_whose_name_begins_alike_is_refused(library: Path, tmp_path: Path) -> None:
    write(tmp_path / "library-2", {"a.rego": "package mandate.lib.a\n"})
    (library / "mandate" / "lib").symlink_to(tmp_path / "library-2")
    assert fault(library) == "mandate/lib: a link leads out of the folder of policies. Put a copy there."


def test_a_link_in_a_circle_is_refused(library: Path) -> None:
    (library / "mandate" / "lib").symlink_to(library / "mandate")
    assert fault(library) == "mandate/lib: a link leads to a folder around it. Remove it."


def test_a_dangling_link_is_refused(library: Path) -> None:
    (library / "thresholds" / "drift.yaml").symlink_to("nothing.yaml")
    assert fault(library) == (
        "thresholds/drift.yaml: the file cannot be read: No such file or directory. Check its permissions."
    )


def test_a_named_pipe_is_refused_without_waiting(library: Path) -> None:
    os.mkfifo(library / "thresholds" / "drift.yaml")
    assert fault(library) == "thresholds/drift.yaml: it is not a regular file. Remove it."


def test_the_size_of_a_file_is_limited(library: Path) -> None:
    write(library, {"thresholds/fairness.yaml": "#" * MAX_BYTES})
    assert len(read([library]).files) == len(FILES)
    write(library, {"thresholds/fairness.yaml": "#" * (MAX_BYTES + 1)})
    assert fault(library) == "thresholds/fairness.yaml: the file is over 1 MiB. Split it."


def test_roots_must_be_folders(library: Path, tmp_path: Path) -> None:
    assert fault() == "there is no folder of policies. Name at least the library."
    assert (
        fault(tmp_path / "nowhere")
        == f"{tmp_path}/nowhere: there is no such folder. Create it, or correct its path."
    )
    assert fault(tmp_path / ("x" * 5000)).endswith(
        "the folder cannot be read: File name too long. Check its permissions."
    )
    file = library / "scope.yaml"
    assert fault(file) == (
        f"{file}: it is not a bundle: it is no gzip file, or a damaged one. "
        "Get the file again, or make it with `mandate policy bundle`."
    )
    assert fault(library, file) == (
        f"{file}: it is not a folder, and a bundle stands alone. "
        "Name folders of policies, or one bundle, which carries all its layers."
    )


def test_ten_thousand_rules_are_refused_before_anything_is_compiled(library: Path) -> None:
    for number in range(10_000):
        write(library, {f"mandate/rules/many/rule_{number}/rule.rego": "package mandate.rules.many"})
    assert fault(library) == (
        "mandate/rules/…: there are 10,001 rules, and at most 1,000 are compiled. "
        "Let one rule judge many terms."
    )


def test_too_many_files_are_refused(library: Path) -> None:
    write(library, {f"mandate/lib/many/lib_{number}.rego": "" for number in range(5_000)})
    assert fault(library) == "there are 5,007 files of policies, and at most 5,000 are taken. Remove some."


def test_too_much_text_is_refused(library: Path) -> None:
    write(library, {f"mandate/testing/{number}.json": "#" * MAX_BYTES for number in range(8)})
    assert fault(library) == (
        f"{library}: all policies together have more than 8 MiB. "
        "Keep tables of data elsewhere: policies are what people read."
    )


def test_a_folder_with_all_of_a_disk_is_not_walked(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_MAX_FILES", len(FILES))
    assert len(read([library]).files) == len(FILES)
    write(library, {"README.md": ""})
    assert fault(library) == (
        f"{library}: the folder has more than 7 files. Name the folder of policies, not one above it."
    )


def test_a_name_that_cannot_be_printed_is_refused(library: Path) -> None:
    (library / "thresholds" / os.fsdecode(b"drift\xff.yaml")).write_text("")
    assert fault(library) == (
        "thresholds/drift\udcff.yaml: the file's name holds what cannot be printed. Rename it."
    )
