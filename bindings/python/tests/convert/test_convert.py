"""`pcml.convert` as it was installed: python -m unittest discover bindings/python/tests/convert"""

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

FIXTURES = Path(__file__).parents[4] / "cli/tests/fixtures"
#: In CI nothing may be skipped that can be installed.
TORCH = "CI" in os.environ or importlib.util.find_spec("torch") is not None
KERAS = "CI" in os.environ or TORCH and all(importlib.util.find_spec(name) is not None for name in ("keras", "h5py"))


def weights(name):
    """The state dict of a fixture, its settings, input and output."""
    found = tensors.load(FIXTURES / f"{name}.safetensors", "")
    header = (FIXTURES / f"{name}.safetensors").read_bytes()
    length = int.from_bytes(header[:8], "little")
    config = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["config"])
    state = {key.removeprefix("weights."): np.array(value) for key, value in found.items() if key.startswith("weights.")}
    return state, config, found.get("input"), found["output"]


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


@unittest.skipUnless(TORCH, "no PyTorch")
class Sequential(Case):
    def module(self):
        from torch import nn
        import torch

        torch.manual_seed(1)
        inner = nn.Sequential(nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5, eps=1e-3), nn.GELU())
        module = nn.Sequential(nn.Linear(3, 6), nn.LeakyReLU(), nn.Dropout(0.2), inner, nn.Dropout(0.2), nn.Linear(5, 4))
        module(torch.randn(64, 3))
        return module.train()

    def rows(self, input):
        at, to = Path(self.folder.name) / "input.npy", Path(self.folder.name) / "output.npy"
        np.save(at, input)
        subprocess.run([command.path(), "predict", self.model, at, "-o", to], check=True, capture_output=True)
        return np.load(to)

    def agrees(self, module, input):
        import torch

        with torch.no_grad():
            expected = module.double().eval()(torch.from_numpy(input)).numpy()
        self.assertLess(np.abs(self.rows(input) - expected).max(), 1e-12 * np.abs(expected).max())

    def test_a_module_needs_no_settings(self):
        module = self.module()
        report = pcml.convert("sequential", module, self.model)
        self.assertEqual(report["compared"], True)
        self.assertEqual(module.training, True)
        self.agrees(module, np.random.default_rng(2).normal(size=(7, 3)))
        told = json.loads(subprocess.run([command.path(), "inspect", self.model, "--json"], check=True, capture_output=True).stdout)
        self.assertEqual(told["description"]["mlp"], {"activation": ["leaky-relu", "gelu"], "dropout": 0.2, "hidden": [6, 5]})

    def test_scalings_are_around_the_module(self):
        import torch

        module = self.module()
        inputs = {"inputs": [{"name": name, "unit": "K"} for name in "abc"]}
        report = pcml.convert(
            "sequential", module, self.model, description=inputs, input_mean=np.array([1, 2, 3]),
            input_std=torch.tensor([2.0, 2.0, 4.0]), output_min=-5, output_max=5
        )
        self.assertEqual(report["compared"], True)
        x = np.random.default_rng(2).normal(size=(7, 3))
        plain = Path(self.folder.name) / "plain.safetensors"
        found, kept = self.rows(x), self.model
        pcml.convert("sequential", module, plain)
        self.model = plain
        expected = -5 + 10 * self.rows((x - [1, 2, 3]) / [2, 2, 4])
        self.assertLess(np.abs(found - expected).max(), 1e-12 * np.abs(expected).max())
        self.assertTrue(kept.exists())

    def test_a_variance_head_is_compared(self):
        for head in [{"function": "exp", "of": "variance"}, {"function": "softplus", "of": "deviation", "minimum": 0.1}]:
            self.assertEqual(pcml.convert("sequential", self.module(), self.model, head=head)["compared"], True)

    def test_other_layers_are_refused_by_name(self):
        from torch import nn

        for layers, words in [
            ([nn.Linear(2, 2), nn.LeakyReLU(0.2)], ["1", "LeakyReLU", "0.2", "0.01"]),
            ([nn.Linear(2, 2), nn.LayerNorm(2)], ["layer 1", "LayerNorm", "Linear"]),
            ([nn.Linear(2, 2), nn.Softplus(beta=2)], ["layer 1", "beta", "2"]),
            ([nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)], ["layer 1", "track_running_stats"]),
            ([nn.Linear(2, 2), nn.Tanh(), nn.ReLU()], ["relu"]),
        ]:
            with self.assertRaises(pcml.ConvertError) as caught:
                pcml.convert("sequential", nn.Sequential(*layers), self.model)
            for word in words:
                self.assertIn(word, str(caught.exception))

    def test_a_module_of_its_own_class(self):
        from torch import nn
        import torch

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.enter, self.leave = nn.Linear(3, 6), nn.Linear(6, 2)

            def forward(self, x):
                return self.leave(torch.tanh(self.enter(x)))

        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("sequential", Net(), self.model)
        self.assertIn("Net", str(caught.exception))
        module = Net()
        self.assertEqual(pcml.convert("sequential", module, self.model, steps=["enter", "tanh", "leave"])["compared"], True)
        self.agrees(module, np.random.default_rng(2).normal(size=(7, 3)))
        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("sequential", Net(), self.model, steps=["enter", "relu", "leave"])
        self.assertIn("a setting differs", str(caught.exception))

    def test_members_become_an_ensemble(self):
        import torch

        paths = [Path(self.folder.name) / f"{i}.safetensors" for i in range(3)]
        for i, path in enumerate(paths):
            torch.manual_seed(i)
            pcml.convert("sequential", torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)), path)
        pcml.convert("ensemble", paths, self.model)
        told = subprocess.run([command.path(), "inspect", self.model, "--json"], check=True, capture_output=True)
        self.assertEqual(json.loads(told.stdout)["members"], 3)


class DeepONet(Case):
    def test_a_file(self):
        state, config, _, _ = weights("deeponet_split_both")
        pcml.convert("deeponet", state, self.model, **config)

    @unittest.skipUnless(TORCH, "no PyTorch")
    def test_a_module_is_compared(self):
        import torch
        from torch import nn

        class Network(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

            def forward(self, x):
                for linear in self.linears[:-1]:
                    x = torch.relu(linear(x))
                return self.linears[-1](x)

        # After DeepXDE's classes, which must not be needed here.
        def forward(self, inputs):
            b, t = self.branch(inputs[0]), torch.relu(self.trunk(inputs[1]))
            if type(self).__name__ == "DeepONet":
                return torch.einsum("bi,bi->b", b, t)[:, None] + self.b[0]
            return torch.einsum("bi,ni->bn", b, t) + self.b[0]

        def __init__(self):
            nn.Module.__init__(self)
            self.branch, self.trunk = Network([5, 6, 4]), Network([2, 7, 4])
            self.b = nn.ParameterList([nn.Parameter(torch.tensor(0.5))])

        for name in ("DeepONet", "DeepONetCartesianProd"):
            module = type(name, (nn.Module,), {"__init__": __init__, "forward": forward})()
            self.assertEqual(pcml.convert("deeponet", module, self.model, activation="relu")["compared"], True)
            with self.assertRaises(pcml.ConvertError) as caught:
                pcml.convert("deeponet", module, self.model, activation="tanh")
            self.assertIn("a setting differs", str(caught.exception))


@unittest.skipUnless(KERAS, "no PyTorch, Keras and h5py")
class Keras(Case):
    def setUp(self):
        super().setUp()
        os.environ.setdefault("KERAS_BACKEND", "torch")

    def model_of_keras(self):
        import keras
        from keras import layers

        adapted = layers.Normalization()
        model = keras.Sequential(
            [
                keras.Input((3,)), adapted, layers.Dense(6, activation="relu"), layers.BatchNormalization(scale=False),
                layers.Dense(5), layers.BatchNormalization(), layers.LeakyReLU(0.01), layers.Dense(2, use_bias=False),
            ]
        )
        random = np.random.default_rng(3)
        adapted.adapt(random.normal([1, 2, 3], [1, 2, 4], (50, 3)))
        for layer in model.layers:
            if layer is not adapted:
                layer.set_weights([np.abs(w + 0.3 * random.normal(size=w.shape)) if w.min() == 1 else w for w in layer.get_weights()])
        return model

    def test_a_model_and_its_files(self):
        model = self.model_of_keras()
        self.assertEqual(pcml.convert("keras", model, self.model)["compared"], True)
        x = np.random.default_rng(4).normal(size=(7, 3)).astype(np.float32)
        expected = model.predict(x, verbose=0)
        for name in ("model.keras", "model.h5"):
            path = Path(self.folder.name) / name
            model.save(path)
            self.model.unlink()
            pcml.convert("keras", path, self.model)
            at, to = Path(self.folder.name) / "input.npy", Path(self.folder.name) / "output.npy"
            np.save(at, x)
            subprocess.run([command.path(), "predict", self.model, at, "-o", to], check=True, capture_output=True)
            self.assertLess(np.abs(np.load(to) - expected).max(), 1e-5 * np.abs(expected).max())

    def test_what_is_no_chain_of_dense_layers(self):
        import keras
        from keras import layers

        x = keras.Input((3,), name="in")
        sum = layers.Add(name="sum")([layers.Dense(3, name="one")(x), x])
        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("keras", keras.Model(x, sum), self.model)
        self.assertIn("sum", str(caught.exception))
        path = Path(self.folder.name) / "only.weights.h5"
        self.model_of_keras().save_weights(path)
        with self.assertRaises(pcml.ConvertError) as caught:
            pcml.convert("keras", path, self.model)
        self.assertIn("weights alone", str(caught.exception))
        path = Path(self.folder.name) / "other.zip"
        path.write_bytes(b"PK\x05\x06" + bytes(18))
        with self.assertRaises(pcml.ConvertError):
            pcml.convert("keras", path, self.model)


if __name__ == "__main__":
    unittest.main()
