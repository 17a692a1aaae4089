"""Votes of a forest: scikit-learn's trees followed by machine code, many pixels at a time.

scikit-learn follows a tree pixel by pixel through nodes of 64 bytes and adds a share for every
class. Here a node is 8 bytes, eight pixels go down a tree together so that the processor need not
wait for memory, and only the shares that are not 0 are added. The sums are the same, bit for bit:
the same trees in the same order, in float64.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled

# A node is one number: the channel in 16 bits, the least value that goes to the right child in 17
# (65536: none does), and the left child in the rest. The right child follows the left one. A leaf
# is its own left child.
_CHANNEL_BITS, _VALUE_BITS = 16, 17
_CHILD_SHIFT = _CHANNEL_BITS + _VALUE_BITS
_CHANNEL_MASK, _VALUE_MASK = (1 << _CHANNEL_BITS) - 1, (1 << _VALUE_BITS) - 1
_NEVER = 1 << 16

_TOGETHER = 8
"""Pixels that go down a tree at the same time."""

_BLOCK = 4096
"""Pixels that pass a tree before the next one: at 330 channels 2.7 MB, which caches hold."""

_TURNED = 256
"""Pixels that are turned from channel by channel to pixel by pixel at once."""

_BATCH = 1 << 16
"""Pixels that a thread takes at once."""


class Trees(NamedTuple):
    """The trees of a forest, node by node; a plain tuple of arrays, for compiled code.

    Attributes
    ----------
    nodes : ndarray (node,) uint64
        Channel, threshold and left child of each node of all trees.
    roots : ndarray (tree,) int64
        First node of each tree.
    first_share : ndarray (node + 1,) int32
        The shares of node i are those from ``first_share[i]`` to below ``first_share[i + 1]``;
        inner nodes have none.
    classes : ndarray (share,) uint8
        Class of each share.
    shares : ndarray (share,) float64
        Share of the class in the training pixels of the leaf; not 0.
    """

    nodes: NDArray[np.uint64]
    roots: NDArray[np.int64]
    first_share: NDArray[np.int32]
    classes: NDArray[np.uint8]
    shares: NDArray[np.float64]


def pack_trees(trees: Sequence[Any]) -> Trees:
    """Bring scikit-learn's trees into the form that votes are counted from.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
        ``tree_`` of each estimator of a forest of one output that was trained on whole numbers
        of 0 to 65535; children come after their parents.

    Returns
    -------
    Trees
    """
    packed = []
    first = 0
    for tree in trees:
        packed.append(_pack(tree, first))
        first += tree.node_count
    nodes, counts, classes, shares = (np.concatenate(parts) for parts in zip(*packed, strict=True))
    sizes = [tree.node_count for tree in trees]
    return Trees(
        nodes,
        np.cumsum([0, *sizes[:-1]], dtype=np.int64),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        classes.astype(np.uint8),
        shares,
    )


def count_votes(
    trees: Trees, channels: NDArray[np.uint16], n_classes: int, nodata: int, threads: int = 1
) -> NDArray[np.float64]:
    """Mean over the trees of the class shares of each pixel's leaf.

    Parameters
    ----------
    trees : Trees
        From `pack_trees`.
    channels : ndarray (channel, pixel) uint16
        Values of the pixels, in the channels that the trees were grown on.
    n_classes : int
        Number of classes.
    nodata : int
        A pixel that has this value in any channel gets no votes; -1 if there is no such value.
    threads : int
        Batches of pixels at a time; the result does not depend on it.

    Returns
    -------
    ndarray (class, pixel) float64
        What ``predict_proba`` of scikit-learn's forest gives, bit for bit, with one thread (with
        several, it adds the trees in any order). 0 of every class without data.
    """
    channels = np.require(channels, np.uint16, ["C", "A", "W"])
    n_pixels = channels.shape[1]
    votes = np.zeros((n_classes, n_pixels))

    def count(start: int) -> None:
        batch = channels[:, start : start + _BATCH]
        known = np.flatnonzero(~(batch == nodata).any(axis=0))
        _count(channels, (known + start).astype(np.uint64), trees, votes)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, range(0, n_pixels, _BATCH)))
    return votes


def _pack(tree: Any, first: int) -> tuple[NDArray[Any], ...]:
    """Nodes, number of shares of each, and the classes and shares of a tree's leaves."""
    left, right = tree.children_left, tree.children_right
    order = _siblings_together(left, right)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    leaf = left[order] == -1
    least = np.clip(np.floor(tree.threshold[order]) + 1, 0, _NEVER)
    child = np.where(leaf, place[order], place[left[order]]) + first
    shares = np.where(leaf[:, None], tree.value[order, 0], 0)
    nodes = (
        np.where(leaf, 0, tree.feature[order]).astype(np.uint64)
        | np.where(leaf, _NEVER, least).astype(np.uint64) << np.uint64(_CHANNEL_BITS)
        | child.astype(np.uint64) << np.uint64(_CHILD_SHIFT)
    )
    nodes_with, classes = np.nonzero(shares)
    counts = np.bincount(nodes_with, minlength=len(order))
    return nodes, counts, classes, shares[nodes_with, classes]


def _siblings_together(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """The nodes in an order in which each right child follows the left one.

    Pairs stand in the order of their parents, which scikit-learn numbers as it goes down to the
    left: so the pair below a left child is often in the same line of the cache.
    """
    inner = left != -1
    pairs = np.stack([left[inner], right[inner]], axis=1)
    return np.concatenate([[0], pairs.ravel()])


# Indices are unsigned below: signed ones would each be looked at for counting from the end.


@compiled
def _count(
    channels: NDArray[np.uint16],
    pixels: NDArray[np.uint64],
    trees: Trees,
    votes: NDArray[np.float64],
) -> None:
    """Fill the votes of some pixels."""
    n_classes, n_trees = votes.shape[0], trees.roots.size
    # Rows behind the last pixel hold anything: they go down the trees for nothing.
    block = np.zeros((_BLOCK, channels.shape[0]), np.uint16)
    sums = np.empty((_BLOCK, n_classes))
    for start in range(0, pixels.size, _BLOCK):
        taken = pixels[start : start + _BLOCK]
        _take(channels, taken, block)
        sums[:] = 0
        for tree in range(n_trees):
            _descend(block, taken.size, trees, trees.roots[tree], sums)
        for label in range(n_classes):
            for row in range(taken.size):
                votes[label, taken[row]] = sums[row, label] / n_trees


@compiled
def _take(
    channels: NDArray[np.uint16], pixels: NDArray[np.uint64], block: NDArray[np.uint16]
) -> None:
    """Fill a block with pixels, their channels side by side."""
    # Few pixels at a time: the rows that are written stay in cache.
    for first in range(0, pixels.size, _TURNED):
        last = min(pixels.size, first + _TURNED)
        for channel in range(channels.shape[0]):
            values = channels[channel]
            for row in range(first, last):
                block[np.uint64(row), np.uint64(channel)] = values[pixels[row]]


@compiled
def _descend(
    block: NDArray[np.uint16],
    held: int,
    trees: Trees,
    root: int,
    sums: NDArray[np.float64],
) -> None:
    """Take the pixels of a block from a root to their leaves, and add the shares there."""
    nodes, first_share = trees.nodes, trees.first_share
    classes, shares = trees.classes, trees.shares
    at = np.empty(_TOGETHER, np.uint64)
    for first in range(0, held, _TOGETHER):
        at[:] = root
        moved = np.uint64(1)
        while moved:
            moved = np.uint64(0)
            for pixel in range(_TOGETHER):
                row = np.uint64(first + pixel)
                node = nodes[at[pixel]]
                value = np.uint64(block[row, node & np.uint64(_CHANNEL_MASK)])
                least = (node >> np.uint64(_CHANNEL_BITS)) & np.uint64(_VALUE_MASK)
                child = (node >> np.uint64(_CHILD_SHIFT)) + np.uint64(value >= least)
                moved |= child ^ at[pixel]
                at[pixel] = child
        for pixel in range(_TOGETHER):
            row, leaf = np.uint64(first + pixel), at[pixel]
            for share in range(first_share[leaf], first_share[leaf + np.uint64(1)]):
                sums[row, classes[share]] += shares[share]
