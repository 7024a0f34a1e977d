"""What `unpack` takes is what `pack` writes, and nothing else."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mandate.engine.errors import BadPolicy
from mandate.engine.policy import archive

ENTRIES = {"data.json": b"{}", ".manifest": b"m", "mandate/a.rego": b"package a", "sources.json": b"[]"}
PATHS = st.text("abc.", min_size=1, max_size=8).filter(lambda path: path not in (".", ".."))


def refusal(content: bytes) -> str:
    with pytest.raises(BadPolicy) as raised:
        archive.unpack(content)
    assert raised.value.next_step == "Get the file again, or make it with `mandate policy bundle`"
    return raised.value.what


@given(st.dictionaries(PATHS, st.binary(max_size=200_000), max_size=4))
@example({"a": b"", "b": bytes(0xFFFF), "c": bytes(0x10000)})
def test_entries_come_back_as_they_were_packed(entries: Mapping[str, bytes]) -> None:
    assert archive.unpack(archive.pack(entries)) == entries


def test_the_order_in_which_entries_are_given_does_not_matter() -> None:
    packed = archive.pack(ENTRIES)
    assert archive.pack(dict(reversed(ENTRIES.items()))) == packed
    assert list(archive.unpack(packed)) == ["data.json", ".manifest", "mandate/a.rego", "sources.json"]


def test_any_gzip_and_tar_read_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive.pack(ENTRIES))) as read:
        about = [(entry.name, entry.mode, entry.uid, entry.mtime, entry.uname) for entry in read]
    assert about == [(path, 0o644, 0, 0, "") for path in ENTRIES]


def test_one_entry_is_read_without_the_rest() -> None:
    assert archive.first(archive.pack(ENTRIES), "data.json") == b"{}"
    with pytest.raises(KeyError):
        archive.first(archive.pack(ENTRIES), "nothing")


def test_a_path_that_is_too_long_for_an_archive_is_named() -> None:
    with pytest.raises(BadPolicy) as raised:
        archive.pack({"a" * 300: b""})
    assert (raised.value.where, raised.value.what) == ("a" * 300, "the path is too long for a bundle")


def entry(path: str, kind: bytes = tarfile.REGTYPE, **about: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(path)
    made.type = kind
    for name, value in about.items():
        setattr(made, name, value)
    return made


def tar(*entries: tarfile.TarInfo, format: int = tarfile.USTAR_FORMAT) -> bytes:  # noqa: A002
    """An archive of these entries, in the same gzip blocks."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as written:
        for each in entries:
            written.addfile(each, io.BytesIO(bytes(each.size)))
    return archive._stored(made.getvalue())


def extended(name: str) -> bytes:
    """An entry whose extended header gives it another name: two readers could take either."""
    return tar(
        entry("sources.json", pax_headers={"path": name}, size=0),
        format=tarfile.PAX_FORMAT,
    )


FOREIGN: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "a link": (
        lambda: tar(entry("a", tarfile.SYMTYPE, linkname="/etc/passwd")),
        "the archive holds a link, 'a'",
    ),
    "a hard link": (
        lambda: tar(entry("a", tarfile.LNKTYPE, linkname="b")),
        "the archive holds a link, 'a'",
    ),
    "a folder": (lambda: tar(entry("a", tarfile.DIRTYPE)), "the archive holds 'a', which is no file"),
    "a device": (lambda: tar(entry("a", tarfile.CHRTYPE)), "the archive holds 'a', which is no file"),
    "an absolute path": (lambda: tar(entry("/data.json")), "the archive has the absolute path '/data.json'"),
    "a path out of it": (
        lambda: tar(entry("mandate/../../a")),
        "the archive has the path 'mandate/../../a', which leads out of it",
    ),
    "an entry twice": (lambda: tar(entry("a"), entry("a")), "the archive has 'a' twice"),
    "another owner": (
        lambda: tar(entry("a", uid=1)),
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "another order": (
        lambda: tar(entry("b", mode=0o644), entry("a", mode=0o644)),
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "an extended header": (
        lambda: extended("evil.json"),
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "compressed": (
        lambda: gzip.compress(gzip.decompress(archive.pack(ENTRIES))),
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "bytes after the end": (
        lambda: archive.pack(ENTRIES) + b"x",
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "a second gzip member": (
        lambda: archive.pack(ENTRIES) * 2,
        "the archive is not as `mandate policy bundle` writes it",
    ),
    "truncated": (lambda: archive.pack(ENTRIES)[:-1], "the bundle is cut off"),
    "nothing": (lambda: b"", "the bundle is cut off"),
    "text": (lambda: b"hello", "it is not a bundle: it is no gzip file, or a damaged one"),
    "a flipped bit": (
        lambda: archive.pack(ENTRIES)[:600] + b"x" + archive.pack(ENTRIES)[601:],
        "it is not a bundle: it is no gzip file, or a damaged one",
    ),
    "gzip of text": (lambda: gzip.compress(b"hello"), "it is not a bundle: there is no archive in it"),
    "gzip of nothing": (lambda: gzip.compress(b""), "it is not a bundle: there is no archive in it"),
    "a cut archive": (
        lambda: archive._stored(gzip.decompress(tar(entry("a", size=2000)))[:1024]),
        "it is not a bundle: there is no archive in it",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_pack_does_not_write_is_refused(name: str) -> None:
    make, what = FOREIGN[name]
    assert refusal(make()) == what


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(1 << 29))
    tracemalloc.start()
    assert refusal(bomb) == "the bundle is larger than 32 MiB"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * archive.MAX_BYTES


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.tar.gz"
    with file.open("wb") as opened:
        opened.truncate(100 << 20)
    with pytest.raises(BadPolicy) as raised:
        archive.read(file)
    assert (raised.value.where, raised.value.what) == (str(file), "the bundle is larger than 32 MiB")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy) as raised:
        archive.read(tmp_path / "none")
    assert raised.value.what == "the bundle cannot be read: No such file or directory"
