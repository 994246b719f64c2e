"""The runner on real MRML with a worker that the test plays: what ends in the scene, and what never does."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from MedSegAISlicer.scene.parameters import Parameters, parameterNode
from MedSegAISlicer.scene.runner import Callbacks, Runner
from MedSegAISlicer.scene.segmentations import maskFromSegment

from MedSegAILib.core.errors import InputError, ResourceError, UsageError, WorkerError
from MedSegAILib.core.run import RunOptions
from Testing.harness.fake_worker import FakeClient
from Testing.harness.mrml import addCase, addTransform, addVolume, fingerprint
from Testing.makers.phantoms import make_case, make_labels


class Told:
    """Keeps what the callbacks were told."""

    def __init__(self):
        self.steps, self.done, self.errors = [], [], []
        self.callbacks = Callbacks(
            onProgress=self.steps.append,
            onDone=lambda node, result: self.done.append(node),
            onError=self.errors.append,
        )


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def nodes(scene, tiny_case):
    return addCase(tiny_case)


def start(scene, client, nodes, told=None):
    runner = Runner(scene, client)
    run = runner.start(nodes, "brain-tumor", RunOptions(), callbacks=(told or Told()).callbacks, name="Tumor")
    return runner, run


def nodeIds(scene):
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def test_a_result_becomes_one_new_node_and_the_volumes_stay_byte_identical(scene, client, nodes, tiny_case):
    before, ids_before = {role: fingerprint(node) for role, node in nodes.items()}, nodeIds(scene)
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    users.GetSegmentation().AddEmptySegment("mine", "Mine", (0.1, 0.2, 0.3))
    told = Told()
    runner, run = start(scene, client, nodes, told)
    labels = make_labels(tiny_case.reference_grid()).array
    client.jobs[0].sayProgress("predict", 1, 4)
    client.jobs[0].sayResult(labels)
    assert run.state == "running"
    runner.poll()
    assert run.state == "done"
    assert told.done == [run.segmentationNode]
    assert [(step.stage, step.done, step.total) for step in told.steps] == [("predict", 1, 4)]
    np.testing.assert_array_equal(maskFromSegment(run.segmentationNode, "TC", nodes["T1"]), np.isin(labels, (1, 4)))
    assert {role: fingerprint(node) for role, node in nodes.items()} == before
    assert list(users.GetSegmentation().GetSegmentIDs()) == ["mine"]
    new = set(nodeIds(scene)) - set(ids_before) - {users.GetID()}
    kinds = sorted(scene.GetNodeByID(i).GetClassName() for i in new)
    assert kinds == ["vtkMRMLSegmentationDisplayNode", "vtkMRMLSegmentationNode"]


@pytest.mark.parametrize("ending", ["cancel", "error"])
def test_a_cancelled_or_failed_job_leaves_the_scene_as_it_was_and_the_next_one_works(
    scene, client, nodes, tiny_case, ending
):
    before = nodeIds(scene)
    told = Told()
    runner, run = start(scene, client, nodes, told)
    if ending == "cancel":
        run.cancel()
    else:
        client.jobs[0].sayError(ResourceError("memory.gpu", "The GPU is full.", "Choose the CPU."))
    runner.poll()
    assert run.state == {"cancel": "cancelled", "error": "failed"}[ending]
    assert [error.code for error in told.errors] == [{"cancel": "run.cancelled", "error": "memory.gpu"}[ending]]
    assert nodeIds(scene) == before
    again = runner.start(nodes, "brain-tumor", RunOptions())
    client.jobs[1].sayResult(make_labels(tiny_case.reference_grid()).array)
    runner.poll()
    assert again.state == "done"


def test_a_result_that_comes_after_the_cancel_is_dropped(scene, client, nodes, tiny_case):
    runner, run = start(scene, client, nodes)
    run.cancel()
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    runner.poll()
    assert run.state == "cancelled"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_volume_changed_while_it_is_handed_over_ends_the_run_and_one_that_goes_does_not(scene, client, nodes):
    start(scene, client, nodes)
    still = client.jobs[0].still
    nodes["T2"].SetName("renamed")
    nodes["T2"].GetDisplayNode().SetWindowLevel(1.0, 2.0)
    scene.RemoveNode(nodes["FLAIR"])
    still()
    slicer.util.arrayFromVolume(nodes["T2"])[0] = 7
    slicer.util.arrayFromVolumeModified(nodes["T2"])
    with pytest.raises(InputError, match="T2 was changed while it was handed over"):
        still()


def test_the_scene_closed_during_a_job_stays_empty(scene, client, nodes, tiny_case):
    told = Told()
    runner, run = start(scene, client, nodes, told)
    scene.Clear(0)
    addCase(make_case(seed=8))  # the same ids are given away again
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    runner.poll()
    assert run.state == "failed"
    assert told.errors[0].code == "scene.reference_gone"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_the_reference_removed_or_moved_during_a_job_gets_no_wrong_result(scene, client, nodes, tiny_case):
    told = Told()
    runner, run = start(scene, client, nodes, told)
    nodes["T1"].SetOrigin(1.0, 2.0, 3.0)
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    runner.poll()
    assert (run.state, told.errors[0].code) == ("failed", "scene.grid")
    assert isinstance(told.errors[0], WorkerError)
    _, run = start(scene, client, nodes, told)
    scene.RemoveNode(nodes["T1"])
    client.jobs[1].sayResult(make_labels(tiny_case.reference_grid()).array)
    runner.poll()
    assert (run.state, told.errors[1].code) == ("failed", "scene.reference_gone")


def test_a_parent_set_during_the_job_carries_the_result_with_its_volume(scene, client, nodes, tiny_case):
    runner, run = start(scene, client, nodes)
    parent = addTransform(scene, np.array([[0.0, -1, 0, 10], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    nodes["T1"].SetAndObserveTransformNodeID(parent.GetID())
    labels = make_labels(tiny_case.reference_grid()).array
    client.jobs[0].sayResult(labels)
    runner.poll()
    assert run.segmentationNode.GetParentTransformNode() is parent
    np.testing.assert_array_equal(maskFromSegment(run.segmentationNode, "ET", nodes["T1"]), labels == 4)


def test_a_second_run_waits_for_the_first(scene, client, nodes):
    runner, run = start(scene, client, nodes)
    with pytest.raises(UsageError, match="under way"):
        runner.start(nodes, "brain-tumor", RunOptions())
    assert runner.run is run


def test_a_bad_input_starts_nothing(scene, client):
    runner = Runner(scene, client)
    flat = addVolume(np.zeros((1, 8, 8), np.int16), np.eye(4), "flat")
    with pytest.raises(InputError):
        runner.start({"T1": flat}, "brain-tumor", RunOptions())
    assert client.jobs == []
    assert not runner.isBusy


def test_dropping_a_job_ends_it_at_once(scene, client, nodes, tiny_case):
    runner, run = start(scene, client, nodes)
    runner.close()
    assert run.state == "cancelled"
    assert client.isClosed
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    client.poll()
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_choices_live_in_the_scene_and_are_saved_with_it(scene, nodes):
    chosen = Parameters(parameterNode(scene))
    assert (chosen.task, chosen.preset, chosen.input("T1")) == ("brain-tumor", "balanced", None)
    chosen.preset = "fast"
    chosen.setInput("T1", nodes["T1"])
    assert parameterNode(scene) is chosen.node
    scene.SetSaveToXMLString(1)
    scene.Commit()
    saved = scene.GetSceneXMLString()
    scene.SetSaveToXMLString(0)
    assert "MedSegAI.Input.T1" in saved
    assert "preset" in saved
    chosen.setInput("T1", None)
    assert chosen.input("T1") is None
    chosen.node.SetParameter("preset", "from an older version")
    assert chosen.preset == "balanced"


def test_the_choice_of_a_removed_volume_is_forgotten(scene, nodes):
    chosen = Parameters(parameterNode(scene))
    chosen.setInput("T2", nodes["T2"])
    scene.RemoveNode(nodes["T2"])
    assert chosen.input("T2") is None
