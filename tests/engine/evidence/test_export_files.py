"""How an export is laid out: names, tiles, and what is refused as a name."""

from __future__ import annotations

import pytest

from mandate.engine.evidence.export import layout, tiles
from mandate.engine.evidence.export.layout import Chunk
from mandate.engine.evidence.export.tiles import Tile
from mandate.engine.evidence.log.merkle import leaf_hash


def test_a_tile_stands_where_the_specification_says() -> None:
    assert Tile(0, 1234067, 256).name == "tile/0/x001/x234/067"
    assert Tile(2, 0, 1).name == "tile/2/000.p/1"
    assert Tile(0, 273, 112).bundle == "tile/entries/273.p/112"
    assert Tile(0, 1000, 256).bundle == "tile/entries/x001/000"


def test_a_log_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    every = list(tiles.added(0, 70_000))
    assert [tile for tile in every if tile.level == 0] == [
        *(Tile(0, number, 256) for number in range(273)),
        Tile(0, 273, 112),
    ]
    assert [tile for tile in every if tile.level > 0] == [Tile(1, 0, 256), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles.added(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]


@pytest.mark.parametrize(
    ("first", "second"), [(0, 1), (1, 255), (255, 256), (256, 257), (300, 66_000), (65_535, 65_536)]
)
def test_what_is_added_is_what_was_not_there(first: int, second: int) -> None:
    added = list(tiles.added(first, second))
    assert set(tiles.added(0, second)) - set(tiles.added(0, first)) == set(added)
    assert len(added) == len(set(added))
    assert all(tiles.at(second, tile.level, tile.number) == tile for tile in added)


def test_a_bundle_has_each_leaf_behind_its_length() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(3)]
    content = tiles.bundled(leaves)
    assert content[:34] == b"\x00\x20" + leaves[0]
    assert tiles.unbundled(content) == leaves
    assert tiles.unbundled(b"") == []
    assert tiles.unbundled(content[:-1]) is None
    assert tiles.unbundled(b"\x00\x1f" + content[2:]) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "a b",
        "ä",
        "a\n",
        "x" * 101,
    ],
)
def test_no_other_name_is_one(name: str) -> None:
    assert not layout.is_name(name)


def test_a_name_says_what_it_is_and_nothing_else_does() -> None:
    chunk = Chunk(1_000_192, 1_000_447)
    assert chunk.entries == "entries/000001/000001000192-000001000447.jsonl"
    assert chunk.heads == "heads/000001/000001000192-000001000447.jsonl"
    assert Chunk.named(chunk.entries) == chunk
    assert Chunk.named("entries/000000/000001000192-000001000447.jsonl") is None
    assert Chunk.named(chunk.heads) is None
    assert layout.newest_snapshot(["snapshots/000000000007.json", "snapshots/000000000011.json"]) == 11
    assert layout.newest_snapshot(["snapshots/7.json", "snapshots/000000000007"]) is None
    assert layout.revision_of(layout.policies(f"sha256:{'0' * 64}")) == f"sha256:{'0' * 64}"
    assert layout.revision_of("policies/0.tar.gz") is None
    assert layout.cosigned_at(layout.cosignatures(7, 2)) == 7
    assert layout.cosigned_at("cosignatures/7-0.jsonl") is None
    assert layout.key("SHA256:a/b+c", ".pub") == "keys/SHA256-a_b-c.pub"
    assert all(map(layout.is_name, (chunk.entries, layout.consistency(1, 2), layout.sums(1, 2))))
