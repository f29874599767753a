"""Objects: freed once, in any order, never under a call."""

import gc
import pathlib
import tempfile
import threading
import unittest
import weakref
from concurrent.futures import ThreadPoolExecutor

import laws
import numpy as np

import pcml
from pcml import _c, error, library


class Interface(unittest.TestCase):
    def test_every_status_has_an_exception(self):
        self.assertEqual(set(error._CLASSES), set(pcml.Status) - {pcml.Status.OK})
        for status in pcml.Status:
            name = library.lib.pcml_status_name(status).decode()
            self.assertEqual(name, f"PCML_STATUS_{status.name}")

    def test_every_function_is_declared(self):
        for name in _c.FUNCTIONS:
            self.assertIsNotNone(getattr(library.lib, name).argtypes, name)

    def test_the_version_is_that_of_the_library(self):
        self.assertEqual(pcml.__version__, ".".join(map(str, _c.VERSION)))

    def test_an_error_names_function_culprit_and_expectation(self):
        with self.assertRaises(pcml.ShapeError) as raised:
            laws.projector().project(np.ones(3), 1.0)
        self.assertRegex(str(raised.exception), r"^pcml_projector_project: .*mean.*")
        self.assertEqual(raised.exception.status, pcml.Status.SHAPE)
        self.assertIsInstance(raised.exception, ValueError)


class Closed(unittest.TestCase):
    def test_calls_after_close_raise(self):
        constraints = pcml.Constraints(laws.CELLS)
        constraints.add_row(np.ones(laws.CELLS))
        projector, report = pcml.Projector(constraints), None
        report = projector.report()
        model = pcml.Model.load(laws.MODELS / "insulated.safetensors")
        plan = pcml.Plan(model, shape=(100, 25))
        boundary, reduction = pcml.Boundary([pcml.dirichlet(0, -1)]), pcml.Reduction()
        flux = pcml.Flux([0], [1], [1.0, 1.0])
        mean = np.ones(laws.CELLS)
        calls = {
            constraints: lambda: constraints.add_row(mean),
            projector: lambda: projector.project(mean, 1.0),
            report: lambda: laws.projector().project(mean, 1.0, report=report),
            model: lambda: pcml.Plan(model),
            plan: lambda: plan.predict(np.ones((1, 100, 25, 1))),
            boundary: lambda: boundary.enforce(np.ones((1, 5, 1)), [0.0]),
            reduction: lambda: pcml.sum(mean, reduction=reduction),
            flux: lambda: flux.residual([1.0]),
        }
        for handle, call in calls.items():
            handle.close()
            handle.close()
            with self.assertRaises(pcml.HandleError, msg=type(handle).__name__):
                call()

    def test_with(self):
        with pcml.Constraints(3) as constraints:
            constraints.add_row([1.0, 1.0, 1.0])
        with self.assertRaises(pcml.HandleError):
            constraints.rows

    def test_an_object_is_freed_with_its_last_reference(self):
        projector = laws.projector()
        projector.project(np.ones(laws.CELLS), 1.0)
        pointer = weakref.ref(projector.pointer)
        self.assertIsNotNone(pointer())
        del projector
        gc.collect()
        self.assertIsNone(pointer())

    def test_owners_may_go_first(self):
        model = pcml.Model.load(laws.MODELS / "porous.safetensors")
        plan = pcml.Plan(model, batch=4)
        model.close()
        self.assertEqual(plan.predict(np.ones((4, 9))).shape, (4, 1))

    def test_objects_that_do_not_belong_together(self):
        mine, other = laws.projector(rows=1), laws.projector(rows=2)
        with self.assertRaises(pcml.MismatchError):
            mine.project(np.ones(laws.CELLS), 1.0, report=other.report())

    def test_a_plan_wants_a_model(self):
        for wrong in None, "model.safetensors", 5:
            with self.assertRaisesRegex(TypeError, f"model is a {type(wrong).__name__}, expected a Model, as Model.load returns"):
                pcml.Plan(wrong)

    def test_arguments_of_other_kinds_are_named(self):
        constraints = pcml.Constraints(laws.CELLS)
        constraints.add_row(np.ones(laws.CELLS))
        cases = {
            "prior is 'diagonal', expected an integer": lambda: pcml.Projector(constraints, "diagonal"),
            "constraints is a list, expected a Constraints": lambda: pcml.Projector([1.0]),
            "members.1. is a str, expected a Model": lambda: pcml.Model.ensemble(
                [pcml.Model.load(laws.MODELS / "porous.safetensors"), "b.safetensors"]
            ),
            "report is a dict, expected a Report": lambda: laws.projector().project(np.ones(laws.CELLS), 1.0, report={}),
            "cells is 2.5, expected an integer": lambda: pcml.Constraints(2.5),
        }
        for text, call in cases.items():
            with self.assertRaisesRegex(TypeError, text):
                call()


class Files(unittest.TestCase):
    def test_what_is_no_model(self):
        with self.assertRaises(pcml.FileError) as raised:
            pcml.Model.load("nowhere/model.safetensors")
        self.assertIsInstance(raised.exception, OSError)
        with self.assertRaises(pcml.InvalidArgumentError):
            pcml.Model.load("a\0b")
        with self.assertRaises(TypeError):
            pcml.Model.load(3)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "modèle.safetensors"
            path.write_bytes(b"no model")
            with self.assertRaises(pcml.FileFormatError):
                pcml.Model.load(path)
            whole = bytearray((laws.MODELS / "porous.safetensors").read_bytes())
            path.write_bytes(whole)
            self.assertEqual(pcml.Model.load(path).description["architecture"], "mlp")
            whole[-1] ^= 1
            with self.assertRaises(pcml.FileFormatError):
                pcml.Model.from_bytes(whole)

    def test_bytes(self):
        whole = (laws.MODELS / "porous.safetensors").read_bytes()
        for data in whole, bytearray(whole), memoryview(whole):
            self.assertEqual(pcml.Model.from_bytes(data).description["architecture"], "mlp")


class Threads(unittest.TestCase):
    def test_many_threads_share_a_projector_and_a_plan(self):
        projector, b = laws.projector(pcml.Prior.DIAGONAL), np.ones(4)
        plan = pcml.Plan(pcml.Model.load(laws.MODELS / "porous.safetensors"), batch=64)
        fields = [laws.state(4, laws.CELLS, seed=seed) for seed in range(8)]
        rows = [laws.state(64, 9, seed=seed) for seed in range(8)]

        def work(k):
            return [
                (projector.project(fields[k], b, fields[k]), plan.predict(rows[k])) for _ in range(50)
            ][-1]

        alone = [work(k) for k in range(8)]
        with ThreadPoolExecutor(8) as pool:
            for k, found in enumerate(pool.map(work, range(8))):
                for mine, expected in zip(found, alone[k]):
                    np.testing.assert_array_equal(mine, expected)

    def test_calls_release_the_interpreter(self):
        """Another thread runs while the host's function of a call waits for it, and closes the objects of that call."""
        closed, waiting = threading.Event(), threading.Event()

        def add(_):
            waiting.set()
            if not closed.wait(60):
                raise TimeoutError

        reduction = pcml.Reduction(add)
        values = np.ones(1000)
        result = []
        thread = threading.Thread(target=lambda: result.append(pcml.sum(values, reduction=reduction)))
        thread.start()
        waiting.wait(60)
        with self.assertRaises(pcml.HandleError):
            pcml.sum(values, reduction=reduction)
        reduction.close()
        closed.set()
        thread.join()
        self.assertEqual(result, [1000.0])

    def test_messages_belong_to_threads(self):
        projector = laws.projector()

        def work(k):
            for _ in range(200):
                try:
                    projector.project(np.ones(laws.CELLS + 1 + k), 1.0)
                except pcml.ShapeError as e:
                    if str(laws.CELLS + 1 + k) not in str(e):
                        return str(e)
            return None

        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(work, range(4))), [None] * 4)

    def test_exclusive_objects_tell(self):
        report = laws.projector().report()
        with report.exclusive, self.assertRaises(pcml.HandleError):
            report.slices


if __name__ == "__main__":
    unittest.main()
