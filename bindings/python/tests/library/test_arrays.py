"""Arrays are described where they lie, and what can't be described is refused."""

import ctypes
import unittest

import laws
import numpy as np

import pcml
from pcml import _c, arrays


def descriptor(array):
    return _c.Array.from_buffer_copy(arrays.describe("array", array))


class Descriptors(unittest.TestCase):
    def test_they_have_the_address_shape_and_strides_of_the_array(self):
        whole = np.zeros((6, 5, 4))
        for array in (
            whole,
            whole.T,
            whole[1::2, ::-1, 3],
            np.asfortranarray(whole)[2:, 1],
            np.broadcast_to(whole[0, 0], (3, 4)),
            whole.astype(np.float32)[::-2],
            np.zeros(()),
        ):
            found = descriptor(array)
            rank = max(array.ndim, 1)
            self.assertEqual(found.struct_size, ctypes.sizeof(_c.Array))
            self.assertEqual(found.data, array.__array_interface__["data"][0])
            self.assertEqual(found.rank, rank)
            self.assertEqual(tuple(found.shape)[:rank], array.shape or (1,))
            self.assertEqual([step * array.itemsize for step in found.strides][: array.ndim], list(array.strides))
            self.assertEqual(found.dtype, pcml.Dtype.F32 if array.dtype == np.float32 else pcml.Dtype.F64)

    def test_the_quick_address_is_that_of_the_protocol(self):
        array = np.zeros(7)[3:]
        self.assertEqual(arrays.address(array), arrays._protocol_address(array))

    def test_both_structs_are_one(self):
        self.assertEqual(_c.Array._fields_, _c.ConstArray._fields_)
        self.assertEqual(ctypes.sizeof(_c.Array), len(arrays.describe("array", np.zeros(1))))

    def test_ever_new_shapes_are_forgotten(self):
        for n in range(arrays._MOST_LAYOUTS + 10):
            arrays.describe("array", np.broadcast_to(1.0, (n + 1,)))
        self.assertLessEqual(len(arrays._layouts), arrays._MOST_LAYOUTS)


class InPlace(unittest.TestCase):
    def test_results_are_written_to_sections_and_nowhere_else(self):
        projector = laws.projector()
        mean, b = laws.state(3, laws.CELLS), np.ones(3)
        expected = projector.project(mean, b)
        frame = np.full((7, 2 * laws.CELLS + 1, 2), np.nan)
        section = frame[5:2:-1, 1::2, 1]
        section[:] = mean
        self.assertIs(projector.project(section, b, out=section), section)
        np.testing.assert_array_equal(section, expected)
        section[:] = np.nan
        self.assertTrue(np.isnan(frame).all())

    def test_an_array_with_a_repeated_element_is_read_and_not_written(self):
        projector, b = laws.projector(), np.ones(3)
        row = laws.state(laws.CELLS)
        repeated = np.broadcast_to(row, (3, laws.CELLS))
        np.testing.assert_array_equal(projector.project(repeated, b), projector.project(repeated.copy(), b))
        with self.assertRaises(pcml.StrideError):
            projector.project(repeated, b, out=np.lib.stride_tricks.as_strided(row.copy(), (3, laws.CELLS), (0, 8)))

    def test_both_dtypes_and_a_mixture(self):
        projector, b = laws.projector(), [1.0]
        for dtype in np.float32, np.float64:
            mean = laws.state(laws.CELLS, dtype=dtype)
            self.assertEqual(projector.project(mean, b).dtype, dtype)
            self.assertLess(abs(projector.residual(projector.project(mean, b), b)[0, 0]), 10 * np.finfo(dtype).eps)
        narrow = np.empty(laws.CELLS, np.float32)
        projector.project(laws.state(laws.CELLS), b, out=narrow)
        self.assertLess(abs(projector.residual(narrow, b)[0, 0]), 1e-6)

    def test_numbers_and_lists_are_read(self):
        projector = laws.projector()
        mean = laws.state(laws.CELLS)
        np.testing.assert_array_equal(projector.project(mean, 1.0), projector.project(mean.tolist(), [[1]]))


class Refused(unittest.TestCase):
    def setUp(self):
        self.projector, self.mean, self.b = laws.projector(), laws.state(laws.CELLS), np.ones(1)

    def refuse(self, error, mean=None, b=None, **outputs):
        """The call raises and writes nothing."""
        own = np.full(laws.CELLS, np.nan)
        outputs = outputs or {"out": own}
        with self.assertRaises(error) as raised:
            self.projector.project(self.mean if mean is None else mean, self.b if b is None else b, **outputs)
        self.assertTrue(np.isnan(own).all())
        return str(raised.exception)

    def test_dtypes(self):
        for dtype in np.int64, np.float16, np.complex128, np.longdouble, bool, object, np.dtype(">f8"):
            self.assertIn("mean has dtype", self.refuse(pcml.DtypeError, self.mean.astype(dtype)))
            self.assertIn("out has dtype", self.refuse(pcml.DtypeError, out=np.zeros(laws.CELLS, dtype)))

    def test_what_is_no_array(self):
        for value in "text", b"bytes", {}, object(), np.ma.masked_array(self.mean, mask=self.mean > 1):
            self.refuse(pcml.DtypeError, value)
        for value in [1.0] * laws.CELLS, 1.0, (0.0,):
            self.refuse(pcml.DtypeError, out=value)
        self.refuse(ValueError, ["a", "b"])

    def test_shapes(self):
        for shape in (laws.CELLS + 1,), (2, laws.CELLS + 1), (0,), (1,) * 9 + (laws.CELLS,), (2, 3, laws.CELLS):
            self.refuse(pcml.ShapeError, np.ones(shape))
        self.refuse(pcml.ShapeError, b=np.ones(2))
        self.refuse(pcml.ShapeError, out=np.ones(laws.CELLS - 1))

    def test_an_array_too_large_to_be_true(self):
        self.refuse(pcml.Error, np.broadcast_to(1.0, (2**40, laws.CELLS)))

    def test_strides_between_elements(self):
        fields = np.zeros(laws.CELLS, np.dtype([("u", "f8"), ("n", "i4")]))
        self.assertIn("multiples of 8", self.refuse(pcml.StrideError, fields["u"]))

    def test_alignment(self):
        odd = np.zeros(8 * laws.CELLS + 1, np.uint8)[1:].view(np.float64)
        self.refuse(pcml.StrideError, odd)

    def test_read_only_outputs(self):
        fixed = np.zeros(laws.CELLS)
        fixed.flags.writeable = False
        self.assertIn("read-only", self.refuse(pcml.InvalidArgumentError, out=fixed))
        self.refuse(pcml.InvalidArgumentError, out=np.broadcast_to(1.0, laws.CELLS))

    def test_overlap(self):
        whole = laws.state(laws.CELLS + 1)
        self.refuse(pcml.StrideError, whole[1:], out=whole[:-1])

    def test_values(self):
        self.refuse(pcml.NonFiniteError, np.full(laws.CELLS, np.nan))
        self.refuse(pcml.NonFiniteError, b=np.array([np.inf]))

    def test_integers_that_do_not_fit(self):
        for call in (
            lambda: pcml.Constraints(2**64 + 8),
            lambda: self.projector.report(2**70),
            lambda: pcml.Projector(pcml.Constraints(3), 2**32 + 1),
            lambda: pcml.Constraints(3).add_sparse_rows([0, 1], np.array([2**63], np.uint64), [1.0]),
        ):
            with self.assertRaises(pcml.InvalidArgumentError):
                call()
        with self.assertRaises(TypeError):
            pcml.Constraints(8.5)


class DLPack(unittest.TestCase):
    @unittest.skipUnless(laws.TORCH, "no PyTorch")
    def test_tensors_are_read_and_written_where_they_lie(self):
        import torch

        projector, b = laws.projector(), np.ones(3)
        mean = torch.from_numpy(laws.state(3, laws.CELLS))
        expected = projector.project(mean.numpy(), b)
        np.testing.assert_array_equal(projector.project(mean, b), expected)
        frame = torch.full((3, 2 * laws.CELLS), float("nan"), dtype=torch.float64)
        section = frame[:, ::2]
        section[:] = mean
        projector.project(section, torch.ones(3, dtype=torch.float64), out=section)
        np.testing.assert_array_equal(section.numpy(), expected)
        self.assertTrue(frame[:, 1::2].isnan().all())

    @unittest.skipUnless(laws.TORCH, "no PyTorch")
    def test_tensors_that_have_no_memory_here_are_refused(self):
        import torch

        projector, b = laws.projector(), np.ones(1)
        for tensor in (
            torch.zeros(laws.CELLS, dtype=torch.float64, requires_grad=True),
            torch.zeros(laws.CELLS, dtype=torch.bfloat16),
            torch.zeros(laws.CELLS, dtype=torch.float64, device="meta"),
            torch.zeros(laws.CELLS, dtype=torch.int64),
            torch.zeros(laws.CELLS, dtype=torch.float64).to_sparse(),
        ):
            with self.assertRaises(pcml.DtypeError):
                projector.project(tensor, b)
            with self.assertRaises(pcml.DtypeError):
                projector.project(np.ones(laws.CELLS), b, out=tensor)

    @unittest.skipUnless(laws.JAX, "no JAX")
    def test_an_array_of_jax_is_read_and_not_written(self):
        import jax.numpy as jnp

        projector, b = laws.projector(), np.ones(1)
        mean = jnp.asarray(laws.state(laws.CELLS, dtype=np.float32))
        np.testing.assert_array_equal(projector.project(mean, b), projector.project(np.asarray(mean), b))
        with self.assertRaises(pcml.InvalidArgumentError):
            projector.project(mean, b, out=mean)


if __name__ == "__main__":
    unittest.main()
