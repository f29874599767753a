"""`pcml.convert` as it was installed: python -m unittest discover bindings/python/tests"""

import importlib.util
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import pcml
from pcml import command, tensors

FIXTURES = Path(__file__).parents[3] / "cli/tests/fixtures"
TORCH = importlib.util.find_spec("torch") is not None


def weights(name):
    """The state dict of a fixture, its settings, input and output."""
    found = tensors.load(FIXTURES / f"{name}.safetensors", "")
    header = (FIXTURES / f"{name}.safetensors").read_bytes()
    length = int.from_bytes(header[:8], "little")
    config = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["config"])
    state = {key.removeprefix("weights."): np.array(value) for key, value in found.items() if key.startswith("weights.")}
    return state, config, found["input"], found["output"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.model = Path(self.folder.name) / "model.safetensors"

    def predict(self, input):
        """What the command predicts for a field with its channels before the grid."""
        at, to = Path(self.folder.name) / "input.npy", Path(self.folder.name) / "output.npy"
        np.save(at, input)
        subprocess.run(
            [command.path(), "predict", self.model, at, "-o", to, "--channels-first"], check=True, capture_output=True
        )
        return np.load(to)

    def check(self, name):
        _, _, input, output = weights(name)
        found = self.predict(input)
        self.assertEqual(found.shape, output.shape)
        self.assertLess(np.abs(found - output).max(), 1e-6 * np.abs(output).max())


class Convert(Case):
    def test_a_safetensors_file(self):
        name = "neuraloperator_tucker"
        report = pcml.convert("neuraloperator", FIXTURES / f"{name}.safetensors", self.model, prefix="weights.")
        self.assertEqual(report["selftest"]["passed"], True)
        self.assertEqual(report["compared"], False)
        self.check(name)

    def test_a_dict_of_arrays(self):
        state, config, _, _ = weights("physicsnemo_2d")
        provenance = {"provenance": {"licence": "MIT"}}
        pcml.convert("physicsnemo", state, self.model, description=provenance, **config)
        self.check("physicsnemo_2d")
        told = subprocess.run([command.path(), "inspect", self.model, "--json"], check=True, capture_output=True)
        self.assertEqual(json.loads(told.stdout)["description"]["provenance"]["licence"], "MIT")

    def test_complex_arrays(self):
        state, config, _, _ = weights("fno_2d")
        for key, value in state.items():
            if "weights" in key:
                state[key] = value[..., 0] + 1j * value[..., 1]
        pcml.convert("fno", state, self.model, **config)
        self.check("fno_2d")

    def test_refusals_name_the_culprit_and_leave_no_file(self):
        state, config, _, _ = weights("fno_2d")
        for change, settings, word in [
            ({"head.weight": np.zeros(3)}, config, "head.weight"),
            ({"head.weight": np.array(["a"])}, config, "head.weight"),
            ({}, {"stride": 2}, "padding"),
            ({}, {**config, "stride": 2}, "stride"),
        ]:
            with self.assertRaises(pcml.ConvertError) as caught:
                pcml.convert("fno", {**state, **change}, self.model, **settings)
            self.assertIn(word, str(caught.exception))
        self.assertEqual(os.listdir(self.folder.name), [])
        with self.assertRaises(FileNotFoundError):
            pcml.convert("fno", "/nowhere.safetensors", self.model)

    def test_dropped_tensors(self):
        state, config, _, _ = weights("fno_1d")
        state["bn0.weight"] = np.ones(5, np.float32)
        state["bn0.num_batches_tracked"] = np.array(3)
        with self.assertRaises(pcml.ConvertError):
            pcml.convert("fno", state, self.model, **config)
        pcml.convert("fno", state, self.model, drop=["bn0."], **config)
        self.check("fno_1d")


@unittest.skipUnless(TORCH, "no PyTorch")
class Torch(Case):
    def module(self):
        """The original code on one axis with the fixture's weights."""
        import sys

        import torch

        sys.path.insert(0, str(FIXTURES))
        from make import Original

        state, config, _, _ = weights("fno_1d")
        module = Original(1, [5], 5, config["padding"], torch.nn.functional.gelu)
        named = {}
        for key, value in state.items():
            value = torch.from_numpy(value)
            named[key] = torch.view_as_complex(value) if "weights" in key else value
        module.load_state_dict(named)
        return module, config

    def test_a_checkpoint(self):
        import torch

        module, config = self.module()
        for name, content in [("plain.pt", module.state_dict()), ("lightning.ckpt", {"state_dict": module.state_dict(), "epoch": 3})]:
            path = Path(self.folder.name) / name
            torch.save(content, path)
            pcml.convert("fno", path, self.model, **config)
            self.check("fno_1d")

    def test_a_checkpoint_that_would_run_code_is_refused(self):
        import torch

        path = Path(self.folder.name) / "whole.pt"
        torch.save(self.module()[0], path)
        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("fno", path, self.model, padding=0)
        self.assertIn("whole.pt", str(caught.exception))

    def test_a_module_is_compared(self):
        module, config = self.module()
        self.assertEqual(pcml.convert("fno", module, self.model, **config)["compared"], True)
        self.check("fno_1d")
        self.model.unlink()
        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("fno", module, self.model, **{**config, "activation": "relu"})
        self.assertIn("a setting differs", str(caught.exception))
        self.assertFalse(self.model.exists())


if __name__ == "__main__":
    unittest.main()
