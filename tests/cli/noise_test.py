#!/usr/bin/env python3
"""`--data random`: noise in the shape of a network's inputs, to time it."""
import json
import unittest

import numpy as np
from onnx import TensorProto, helper

from inputs_test import save_typed
from program import ProgramTest, save_mlp

USAGE, BAD = 2, 3
WARNING = 'warning: [random] ranges are those of noise: for timing only'


class Noise(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.int8 = self.folder / 'mlp.int8.onnx'

    def quantize(self, *more, model=None, data='random', output=None):
        return self.run_it('quantize', model or self.model, '--data', data, '-o', output or self.int8, '--json', *more)

    def test_quantizes_and_says_what_the_ranges_are(self):
        done = self.quantize()
        self.assertIn(WARNING, done.stderr)
        out = json.loads(done.stdout)
        self.assertEqual(out['calibration_samples'], 32)
        self.assertIn(WARNING.removeprefix('warning: '), out['warnings'])
        other = self.folder / 'other.onnx'
        self.quantize(output=other)
        self.assertEqual(self.int8.read_bytes(), other.read_bytes())
        self.run_it('quantize', self.model, '--recipe', self.folder / 'mlp.int8.recipe.toml', '-o', other)
        self.assertEqual(self.int8.read_bytes(), other.read_bytes())
        self.quantize(data='random:test', output=other)
        self.assertNotEqual(self.int8.read_bytes(), other.read_bytes())

    def test_has_as_many_samples_as_asked_for(self):
        self.assertEqual(json.loads(self.quantize('--calibration-samples', 40).stdout)['calibration_samples'], 40)
        out = json.loads(self.run_it('verify', self.int8, '--data', 'random', '--json').stdout)
        self.assertEqual((out['samples'], out['unexplained']), (32, 0))
        self.assertEqual(json.loads(self.run_it('verify', self.int8, '--data', 'random', '--samples', 7, '--json').stdout)['samples'], 7)

    def test_calibrates_and_runs(self):
        done = self.run_it('calibrate', self.model, '--data', 'random', '-o', self.folder / 'ranges.json')
        self.assertIn(WARNING, done.stderr)
        out = json.loads(self.run_it('run', self.model, '--data', 'random', '--index', 3, '--json').stdout)
        self.assertEqual((out['label'], len(out['scores'])), (None, 10))
        self.expect_error('run', self.model, '--data', 'random', '--index', 32, code=USAGE, says='expected 0 to 31')

    def test_has_no_labels(self):
        self.quantize()
        self.expect_error('evaluate', self.int8, '--data', 'random', code=BAD, says='[random] has no labels')
        out = json.loads(self.run_it('evaluate', self.int8, '--data', 'random', '--reference', self.model, '--json').stdout)
        self.assertEqual([row['mode'] for row in out], ['simulated', 'integer'])
        self.assertEqual(out[0]['samples'], 32)
        self.expect_error('search', self.model, '--data', 'random', code=BAD, says='[random] has no labels')

    def test_fits_several_inputs_and_fixed_batches(self):
        random = np.random.default_rng(3)
        weights = {'wa': random.normal(0, 0.5, (6, 4)).astype(np.float32), 'wb': random.normal(0, 0.5, (3, 4)).astype(np.float32)}
        nodes = [helper.make_node('MatMul', ['a', 'wa'], ['left'], 'left'), helper.make_node('MatMul', ['b', 'wb'], ['right'], 'right'),
                 helper.make_node('Add', ['left', 'right'], ['sum'], 'add')]
        for batch in ('N', 1, 7):
            model = save_typed(self.folder / 'two.onnx', nodes, weights, [('a', TensorProto.FLOAT, [batch, 6]), ('b', TensorProto.FLOAT, [batch, 3])],
                               [('sum', TensorProto.FLOAT, [batch, 4])])
            with self.subTest(batch):
                self.assertEqual(json.loads(self.quantize(model=model).stdout)['calibration_samples'], 32)
                out = json.loads(self.run_it('verify', self.int8, '--data', 'random', '--json').stdout)
                self.assertEqual((out['samples'], out['unexplained']), (32, 0))

    def test_wants_sizes(self):
        model = save_typed(self.folder / 'open.onnx', [helper.make_node('Relu', ['x'], ['y'], 'relu')], {}, [('x', TensorProto.FLOAT, ['N', 'W'])],
                           [('y', TensorProto.FLOAT, ['N', 'W'])])
        self.expect_error('quantize', model, '--data', 'random', '-o', self.int8, code=BAD, says="'x'")


if __name__ == '__main__':
    unittest.main()
