#!/usr/bin/env python3
"""`halftone bench`, and the engine in `verify`, `evaluate` and `run`."""
import json
import unittest

import numpy as np

from program import ProgramTest, save_mlp

USAGE, BAD, UNSUPPORTED = 2, 3, 4


class EngineTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.int8 = self.folder / 'mlp.int8.onnx'
        self.run_it('quantize', self.model, '--data', 'digits', '--calibration-samples', 50, '-o', self.int8)

    def test_bench_times_every_network_and_batch(self):
        rows = json.loads(self.run_it('bench', self.model, self.int8, '--batch', '1,3', '--seconds', '0.05', '--json').stdout)
        self.assertEqual([(row['peer'], row['batch']) for row in rows], [('float', 1), ('halftone', 1), ('float', 3), ('halftone', 3)])
        for row in rows:
            self.assertGreater(row['min_ms'], 0)
            self.assertGreaterEqual(row['median_ms'], row['min_ms'])
            self.assertGreaterEqual(row['samples'], 3)
        self.assertEqual([row['ratio'] for row in rows if row['peer'] == 'halftone'], [1, 1])
        text = self.run_it('bench', self.int8, '--seconds', '0.05', '--isa', 'generic').stdout
        self.assertIn('median ms', text)

    def test_bench_refuses_what_makes_no_sense(self):
        self.expect_error('bench', self.int8, '--batch', '0', code=USAGE, says='--batch')
        self.expect_error('bench', self.int8, '--isa', 'sse9', code=USAGE, says='sse9')
        fixed = self.folder / 'fixed.onnx'
        self.run_it('quantize', self.model, '--shape', 'input=7x1x28x28', '--data', 'digits', '--calibration-samples', 14, '-o', fixed)
        self.expect_error('bench', fixed, code=BAD, says='takes 7 samples')
        self.expect_error('bench', self.folder / 'none.onnx', code=BAD, says='none.onnx')

    def test_verify_compares_the_engine(self):
        out = json.loads(self.run_it('verify', self.int8, '--data', 'digits', '--samples', 20, '--json').stdout)
        self.assertIn('engine generic, 1 thread', [e['name'] for e in out['engines']])
        self.assertIn('engine generic, 2 threads', [e['name'] for e in out['engines']])
        for engine in out['engines']:
            self.assertEqual((engine['different'], engine['first_value']), (0, ''), engine)
            self.assertGreater(engine['compared'], 20 * (784 + 16 + 16 + 10))
        text = self.run_it('verify', self.int8, '--data', 'digits', '--samples', 20, '--isa', 'generic').stdout
        self.assertIn('engine generic, 1 thread: 0 of', text)
        self.expect_error('verify', self.int8, '--data', 'digits', '--isa', 'sse9', code=USAGE, says='sse9')

    def test_outputs_are_those_of_the_plain_interpreter(self):
        x = np.random.default_rng(1).random((9, 1, 28, 28), np.float32)
        np.save(self.folder / 'x.npy', x)
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'engine.npy')
        # Values that are looked at one by one are the plain interpreter's.
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'plain.npy', '--dump', self.folder / 'values')
        np.testing.assert_array_equal(np.load(self.folder / 'engine.npy'), np.load(self.folder / 'plain.npy'))


if __name__ == '__main__':
    unittest.main()
