#!/usr/bin/env python3
"""Files that an earlier version wrote (tests/kept) are read and give the same integers, and their recipes the same bytes."""
import pathlib
import shutil
import unittest

import numpy as np

from program import ProgramTest

KEPT = pathlib.Path(__file__).resolve().parent.parent / 'kept'
FLOATS = ('network', 'layer')
FLOAT_RESULTS = ('w8', 'dynamic')  # parts of these are computed in float, and not in the same order everywhere


def network_of(name):
    return 'layer' if name == 'layer8' else 'network'


class KeptFiles(ProgramTest):
    def names(self):
        names = sorted(p.stem for p in KEPT.glob('*.onnx') if p.stem not in FLOATS)
        self.assertGreaterEqual(len(names), 20)
        return names

    def test_models_give_the_same_integers(self):
        expected = np.load(KEPT / 'expected.npz')
        self.assertEqual(sorted(expected.files), self.names())
        for name in self.names():
            y = self.folder / 'y.npy'
            self.run_it('run', KEPT / f'{name}.onnx', '--input', KEPT / f'{network_of(name)}_x.npy', '--output', y)
            if name in FLOAT_RESULTS:
                np.testing.assert_allclose(np.load(y), expected[name], rtol=1e-5, atol=1e-5, err_msg=name)
            else:
                np.testing.assert_array_equal(np.load(y), expected[name], err_msg=name)

    def test_recipes_and_ranges_give_the_same_bytes(self):
        for name in self.names():
            network = network_of(name)
            recipe = self.folder / 'own.toml'
            shutil.copy(KEPT / f'{name}.recipe.toml', recipe)
            ranges = [] if name in FLOAT_RESULTS else ['--ranges', KEPT / f'{network}.ranges.json']
            made = self.folder / f'{name}.onnx'
            self.run_it('quantize', KEPT / f'{network}.onnx', '--recipe', recipe, *ranges, '-o', made)
            self.assertEqual(made.read_bytes(), (KEPT / f'{name}.onnx').read_bytes(), name)


if __name__ == '__main__':
    unittest.main()
