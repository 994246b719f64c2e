"""One undo history for all that happens to a result: model runs, clicks, brush strokes, accepts, offers, by name.

A family of nodes (the versions of a result and their views as labels) has one history. Whoever changes a result does
it within :meth:`UndoHistory.entry`; what others change (Slicer's Segment Editor) is noticed by
:meth:`UndoHistory.noteEdits`. Each entry keeps the boxes in which voxels changed, and what was decided; the story of
the audit is never taken back. The history lives as long as the scene: it is not saved. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .family import anchorOf, familyOf
from .label_view import labelsNodeOf, regionsNodeOf
from .segment_state import SegmentChange, SegmentState, changesBetween, putState, statesOf
from .story import REVIEW_ATTRIBUTE, Decisions, decisionsOf, keepDecisions, tell

MOST_ENTRIES = 100
MOST_BYTES = 64 << 20  # of packed voxels; a stroke takes some hundred bytes, a whole head 2 MB
_OWN_PREFIX = "MedSegAI."
_NOT_UNDONE = frozenset({REVIEW_ATTRIBUTE, "MedSegAI.CurrentPlace"})  # the story stays; where one looks is no change


@dataclass(frozen=True)
class Papers:
    """What a node carries beside its segments: our attributes by name, and the decisions by segment."""

    attributes: Mapping[str, str]
    decisions: Decisions


@dataclass(frozen=True, eq=False)
class NodeChange:
    """What became of one node."""

    node: Any
    segments: tuple[SegmentChange, ...]
    before: Papers
    after: Papers


@dataclass(frozen=True, eq=False)
class Entry:
    """One step of the history.

    Args:
        name: for people: "Exclude click in WT", "Accept Tumor core".
        node: the node that it happened to; shown again after an undo.
        changes: what became of each node.
        added: nodes that came into the scene with it, a model run.
    """

    name: str
    node: Any
    changes: tuple[NodeChange, ...] = field(default=(), repr=False)
    added: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def words(self) -> str:
        """The name with the volumes that changed: "Brush in Edema (+0.42 mL)"."""
        gained = sum(change.gained_ml for node in self.changes for change in node.segments)
        lost = sum(change.lost_ml for node in self.changes for change in node.segments)
        parts = [f"+{gained:.2f}"] * bool(gained) + [f"\N{MINUS SIGN}{lost:.2f}"] * bool(lost)
        return f"{self.name} ({' '.join(parts)} mL)" if parts else self.name

    @property
    def byteCount(self) -> int:
        """Bytes that its voxels take."""
        return sum(change.byteCount for node in self.changes for change in node.segments)


class UndoHistory:
    """The history of a family; ask :meth:`of` for it."""

    def __init__(self, task: str, anchor: Any) -> None:
        self._task, self._anchor = task, anchor
        self._nodes: dict[str, Any] = {}
        self._states: dict[str, dict[str, SegmentState]] = {}
        self._papers: dict[str, Papers] = {}
        self._done: list[Entry] = []
        self._undone: list[Entry] = []
        self._isOpen = False

    @staticmethod
    def of(segmentationNode: Any) -> UndoHistory:
        """Give the history of a segmentation: the same one for all versions of a result.

        The first call begins it: what is there then is what an undo comes back to.
        """
        _HISTORIES[:] = [history for history in _HISTORIES if history.isAlive]
        task, anchor = anchorOf(segmentationNode)
        history = next((one for one in _HISTORIES if one._anchor is anchor and one._task == task), None)
        if history is None:
            history = UndoHistory(task, anchor)
            _HISTORIES.append(history)
        history._begin(segmentationNode)
        return history

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was done and can be undone, the oldest first."""
        return tuple(self._done)

    @property
    def undoName(self) -> str:
        """What an undo would take back; empty when there is nothing."""
        return self._done[-1].words if self._done else ""

    @property
    def redoName(self) -> str:
        """What a redo would do again; empty when there is nothing."""
        return self._undone[-1].words if self._undone else ""

    @property
    def isAlive(self) -> bool:
        """Whether the scene that it belongs to is still there."""
        return self._anchor.GetScene() is not None

    def nodeToShow(self, entry: Entry) -> Any:
        """Give the version to look at after an undo or redo of an entry; None when none is left in the scene."""
        node = None if entry.node is None else regionsNodeOf(entry.node) or entry.node
        if node is not None and node.GetScene() is not None:
            return node
        left = [one for one in self._nodes.values() if one.GetScene() is not None and regionsNodeOf(one) is None]
        return left[-1] if left else None

    @contextmanager
    def entry(self, name: str, node: Any = None) -> Iterator[None]:
        """Make everything that happens within the block one entry; within another entry it is part of that one.

        Args:
            name: what the entry is called.
            node: what it happens to; None takes the node that changed.

        An error within the block puts everything back as it was before it.
        """
        if self._isOpen:
            yield
            return
        self.noteEdits()
        self._isOpen, isWhole = True, False
        try:
            yield
            isWhole = True
        finally:
            self._isOpen = False
            changes = self._changes()
            if isWhole:
                self._push(Entry(name, node or _nodeOf(changes), changes))
            else:
                self._put(Entry(name, node, changes), isBack=True)

    def noteEdits(self) -> Entry | None:
        """Make an entry of what others have changed since the last look: a stroke of the Segment Editor.

        Returns:
            The entry; None when nothing has changed.
        """
        if self._isOpen:
            return None
        changes = self._changes()
        segments = [change for node in changes for change in node.segments]
        if not segments:
            return None  # attributes alone: a view was made, a sentence added
        entry = Entry(_editName(segments), _nodeOf(changes), changes)
        for changed in changes:
            for change in changed.segments:
                tell(changed.node, f"by hand: {Entry('', None, (_only(changed, change),)).words}", change.segmentId)
        self._push(entry)
        return entry

    def added(self, segmentationNode: Any, name: str, more: Sequence[Any] = ()) -> None:
        """Make an entry of a node that has just come into the scene: a model run. Undo takes it out of the scene.

        Args:
            segmentationNode: the new version.
            name: what the entry is called.
            more: nodes that came with it, the boxes of its stages.
        """
        self.noteEdits()
        self._begin(segmentationNode)
        self._push(Entry(name, segmentationNode, added=(segmentationNode, *more)))

    def undo(self) -> Entry | None:
        """Take the last entry back; None when there is none."""
        self.noteEdits()
        return self._step(self._done, self._undone, isBack=True)

    def redo(self) -> Entry | None:
        """Do the entry that was undone last again; None when there is none, or something was done since."""
        self.noteEdits()
        return self._step(self._undone, self._done, isBack=False)

    def _step(self, source: list[Entry], target: list[Entry], *, isBack: bool) -> Entry | None:
        while source:
            entry = source.pop()
            if not _isPossible(entry, isBack=isBack):
                continue  # someone removed the node itself
            self._put(entry, isBack=isBack)
            for change in entry.changes:
                tell(change.node, f"{'undone' if isBack else 'done again'}: {entry.words}")
            target.append(entry)
            return entry
        return None

    def _put(self, entry: Entry, *, isBack: bool) -> None:
        for changed in entry.changes:
            for change in reversed(changed.segments) if isBack else changed.segments:
                putState(changed.node, change, isBack=isBack)
            _putPapers(changed.node, changed.before if isBack else changed.after)
        for node in entry.added:
            scene = self._anchor.GetScene()
            labels = labelsNodeOf(node) if isBack and node is entry.node else None
            if labels is not None:  # made anew on demand
                scene.RemoveNode(labels)
            if isBack:
                scene.RemoveNode(node)
            else:
                scene.AddNode(node)
        self._look()

    def _begin(self, segmentationNode: Any) -> None:
        """Look at nodes of the family that were never looked at; the others keep what was seen of them."""
        for node in familyOf(segmentationNode):
            if self._nodes.get(node.GetID()) is not node:
                self._nodes[node.GetID()] = node
                self._states[node.GetID()] = statesOf(node, {})
                self._papers[node.GetID()] = _papersOf(node)

    def _look(self) -> None:
        """Take what is there now as seen."""
        self._changes()

    def _changes(self) -> tuple[NodeChange, ...]:
        """Give what has changed since the last look, and take it as seen."""
        changes = []
        for nodeId, node in list(self._nodes.items()):
            if node.GetScene() is None:
                continue
            states, papers = statesOf(node, self._states[nodeId]), _papersOf(node)
            segments = changesBetween(self._states[nodeId], states)
            if segments or papers != self._papers[nodeId]:
                changes.append(NodeChange(node, segments, self._papers[nodeId], papers))
            self._states[nodeId], self._papers[nodeId] = states, papers
        return tuple(changes)

    def _push(self, entry: Entry) -> None:
        if not entry.changes and not entry.added:
            return
        self._done.append(entry)
        self._undone.clear()
        while len(self._done) > MOST_ENTRIES or sum(one.byteCount for one in self._done) > MOST_BYTES:
            if len(self._done) == 1:
                break
            del self._done[0]


_HISTORIES: list[UndoHistory] = []


def _papersOf(node: Any) -> Papers:
    names = [name for name in node.GetAttributeNames() if name.startswith(_OWN_PREFIX) and name not in _NOT_UNDONE]
    return Papers({name: node.GetAttribute(name) for name in names}, decisionsOf(node))


def _putPapers(node: Any, papers: Papers) -> None:
    for name in [*_papersOf(node).attributes, *papers.attributes]:
        node.SetAttribute(name, papers.attributes.get(name))
    keepDecisions(node, papers.decisions)


def _nodeOf(changes: tuple[NodeChange, ...]) -> Any:
    return changes[0].node if changes else None


def _only(changed: NodeChange, segment: SegmentChange) -> NodeChange:
    return NodeChange(changed.node, (segment,), changed.before, changed.after)


def _isPossible(entry: Entry, *, isBack: bool) -> bool:
    nodes = [change.node for change in entry.changes] + (list(entry.added) if isBack else [])
    return all(node.GetScene() is not None for node in nodes)


def _editName(segments: list[SegmentChange]) -> str:
    """Name what someone did by hand."""
    titles = ", ".join(dict.fromkeys(change.title for change in segments))
    if all(change.before is None for change in segments):
        return f"New segment {titles}"
    if all(change.after is None for change in segments):
        return f"Removed {titles}"
    if any(change.byteCount for change in segments):
        return f"Brush in {titles}"
    return f"Marked {titles}"
