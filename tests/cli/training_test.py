#!/usr/bin/env python3
"""Training as a user runs it: the file, its accuracy on built-in digits, and the same bytes for the same seed."""
import json
import unittest

from program import ProgramTest


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

    def test_help(self):
        self.assertIn('xample', self.run_it('train', '--help').stdout)


if __name__ == '__main__':
    unittest.main()
