#!/usr/bin/env python3
"""A program of some lines that uses the library makes the file that the command line makes."""
import os
import subprocess
import unittest

import numpy as np

from program import ProgramTest, save_mlp

EXAMPLE = os.environ['HALFTONE_EXAMPLE']


class LibraryTest(ProgramTest):
    def test_the_example_writes_the_bytes_of_the_command_line(self):
        model, samples = save_mlp(self.folder / 'm.onnx'), self.folder / 'x.npy'
        np.save(samples, np.random.default_rng(1).random((64, 1, 28, 28), np.float32))
        for bits in ('w8a8', 'w4a8', 'w4a4', 'w1a8', 'w4'):
            own, theirs = self.folder / 'own.onnx', self.folder / 'theirs.onnx'
            self.run_it('quantize', model, '--data', samples, '--bits', bits, '-o', own)
            done = subprocess.run([EXAMPLE, model, samples, bits, theirs], capture_output=True, text=True, timeout=300)
            self.assertEqual((done.returncode, done.stderr), (0, ''), bits)
            self.assertEqual(own.read_bytes(), theirs.read_bytes(), bits)

    def test_the_example_says_what_is_wrong(self):
        done = subprocess.run([EXAMPLE, 'none.onnx', 'none.npy', 'w8a8', 'out.onnx'], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        self.assertIn('none.onnx', done.stderr)


if __name__ == '__main__':
    unittest.main()
