"""A log in memory, as a store keeps it."""

from __future__ import annotations

from mandate.engine.evidence.log.merkle import Frontier, leaf_hash


def entry(number: int) -> bytes:
    return b"entry %d" % number


class Tree:
    """Its complete nodes, and its root at each size."""

    def __init__(self, size: int) -> None:
        self.leaves = [self.entry(number) for number in range(size)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        frontier = Frontier()
        self.roots = [frontier.root]
        for number, data in enumerate(self.leaves):
            self.nodes[0, number] = leaf_hash(data)
            frontier, complete = frontier.append(data)
            self.nodes.update({(node.level, node.number): node.hash for node in complete})
            self.roots.append(frontier.root)

    def entry(self, number: int) -> bytes:
        return entry(number)

    def read(self, level: int, number: int) -> bytes:
        self.reads += 1
        return self.nodes[level, number]
