#!/usr/bin/env python3
"""Training as a user runs it: the file, its accuracy on built-in digits, and the same bytes for the same seed."""
import json
import os
import unittest

import numpy as np

from program import ProgramTest, save_mlp


class Training(ProgramTest):
    def test_the_path_from_training_to_proof(self):
        mlp, again, int8 = (self.folder / name for name in ('mlp.onnx', 'again.onnx', 'mlp.int8.onnx'))
        for path in (mlp, again):
            self.run_it('train', 'mlp', '--data', 'digits', '--epochs', 4, '--seed', 3, '-o', path)
        self.assertEqual(mlp.read_bytes(), again.read_bytes())
        self.run_it('quantize', mlp, '--data', 'digits', '-o', int8)
        rows = json.loads(self.run_it('evaluate', mlp, int8, '--data', 'digits', '--json').stdout)
        self.assertGreater(rows[0]['accuracy'], 90)
        self.assertLess(abs(rows[2]['accuracy'] - rows[0]['accuracy']), 0.5)
        self.assertEqual(json.loads(self.run_it('verify', int8, '--data', 'digits', '--samples', 200, '--json').stdout)['unexplained'], 0)

    def test_usage_and_bad_input(self):
        self.expect_error('train', 'nosuchnet', '--data', 'digits', '-o', self.folder / 'x.onnx', code=2)
        self.expect_error('train', 'mlp', '--data', 'digits', code=2)
        self.expect_error('train', 'mlp', '--data', 'nosuchset', '-o', self.folder / 'x.onnx', code=2)
        self.expect_error('train', 'lenet', '--data', 'digits', '-o', self.folder / 'x.onnx', code=3)
        self.expect_error('train', 'mlp', '--data', 'digits', '-o', self.folder / 'no/such/x.onnx', code=3)
        self.assertEqual(self.files(), [])

    def test_what_is_read_is_not_written_over(self):
        model, data, link = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'data.npz', self.folder / 'link.onnx'
        np.savez(data, x=np.zeros((8, 1, 28, 28), np.uint8), y=np.arange(8))
        for read in (model, data):
            os.link(read, link)
            before = read.read_bytes()
            for output in (read, link, f'{self.folder}/./{read.name}'):
                self.expect_error('train', model, '--data', data, '--epochs', 1, '-o', output, code=2, says='is a file that is read')
                self.assertEqual(read.read_bytes(), before)
            link.unlink()

    def test_help(self):
        self.assertIn('xample', self.run_it('train', '--help').stdout)


if __name__ == '__main__':
    unittest.main()
