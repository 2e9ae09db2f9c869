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

    def test_finetuning_makes_integers_that_are_proven(self):
        mlp, rounded, one, two = (self.folder / name for name in ('mlp.onnx', 'rounded.onnx', 'one.onnx', 'two.onnx'))
        self.run_it('train', 'mlp', '--data', 'digits', '--epochs', 2, '-o', mlp)
        self.run_it('quantize', mlp, '--data', 'digits', '--bits', 'w2a2', '-o', rounded)
        for path in (one, two):
            done = self.run_it('finetune', mlp, '--data', 'digits', '--samples', 12000, '--bits', 'w2a2', '--epochs', 3, '--held-out', 500, '-o', path)
            self.assertIn('held out', done.stderr)
        self.assertEqual(one.read_bytes(), two.read_bytes())
        self.assertTrue((self.folder / 'one.recipe.toml').exists())
        rows = json.loads(self.run_it('evaluate', rounded, one, '--data', 'digits', '--only', 'integer', '--json').stdout)
        self.assertGreater(rows[1]['accuracy'], rows[0]['accuracy'])
        self.assertEqual(json.loads(self.run_it('verify', one, '--data', 'digits', '--samples', 200, '--json').stdout)['unexplained'], 0)

    def test_finetuning_without_labels(self):
        mlp = save_mlp(self.folder / 'mlp.onnx')
        rows = self.folder / 'rows.npy'
        np.save(rows, np.random.default_rng(3).random((64, 1, 28, 28), np.float32))
        self.expect_error('finetune', mlp, '--data', rows, '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=2, says='no labels, expected some, or --no-labels')
        self.run_it('finetune', mlp, '--data', rows, '--no-labels', '--bits', 'w4a4', '--epochs', 1, '-o', self.folder / 'y.onnx')
        self.expect_error('finetune', self.folder / 'y.onnx', '--data', rows, '--no-labels', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=3, says='quantized already')
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--granularity', 'group=4', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=3, says='weights by group are not trained')
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--power-of-two', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=2, says='expected the quantizer ste')
        self.run_it('finetune', mlp, '--recipe', self.folder / 'y.recipe.toml', '--no-labels', '--epochs', 1, '-o', self.folder / 'z.onnx')
        self.assertEqual((self.folder / 'y.onnx').read_bytes(), (self.folder / 'z.onnx').read_bytes())
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--bits', 'w4a4', '--learning-rate', 9, '-o', self.folder / 'x.onnx', code=2, says='learning rate, got 9')
        self.assertFalse((self.folder / 'x.onnx').exists())

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
