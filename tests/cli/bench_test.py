#!/usr/bin/env python3
"""`halftone bench`, and the engine in `verify`, `evaluate` and `run`."""
import ctypes.util
import json
import pathlib
import unittest

import numpy as np
from onnx import helper

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

        for option, value in (('--seconds', 'nan'), ('--seconds', 'inf'), ('--seconds', '0'), ('--isa', 'all'), ('--isa', 'generic,generic'),
                              ('--threads', '0'), ('--peers', 'tflite'), ('--peers', 'onednn,onednn'), ('--gemm', '512x512'),
                              ('--gemm', '1x2x3x4'), ('--gemm', '0x1x1'), ('--gemm', '65536x65536x1'), ('--bits', '8')):
            self.expect_error('bench', self.int8, option, value, code=USAGE, says=option)
        self.expect_error('bench', code=USAGE, says='--gemm')

    def test_bench_times_every_instruction_set_and_number_of_threads(self):
        rows = self.bench(self.model, self.int8, '--isa', 'generic', '--threads', '1,2')
        self.assertEqual([(row['peer'], row['threads'], row.get('isa')) for row in rows],
                         [('float', 1, None), ('halftone', 1, 'generic'), ('halftone', 2, 'generic')])
        for row in rows[1:]:
            self.assertGreater(row['load_ms'], 0)
            self.assertGreaterEqual(row['peak_memory_mb'], row['memory_mb'])

    def test_bench_times_layers(self):
        row, = self.bench(self.int8, '--batch', 2, '--layers')
        names = [layer['name'] for layer in row['layers']]
        for name in ('fc1', 'fc2'):
            self.assertIn(name, names)
        self.assertAlmostEqual(sum(layer['part'] for layer in row['layers']), 1.0, 6)
        fc1 = row['layers'][names.index('fc1')]
        self.assertAlmostEqual(fc1['gmacs'], 2 * 784 * 16 / fc1['microseconds'] / 1e3, 6)
        self.assertIn('part of time', self.run_it('bench', self.int8, '--layers', '--seconds', '0.02').stdout)

    def test_bench_times_products_of_matrices(self):
        rows = self.bench('--gemm', '3x17x5,1x64x64', '--bits', '8,4', '--isa', 'generic')
        ours = [row for row in rows if row['peer'] == 'halftone']
        self.assertEqual([(row['network'], row['bits'], row['stored_bits']) for row in ours],
                         [('3x17x5', 8, 16), ('3x17x5', 4, 16), ('1x64x64', 8, 16), ('1x64x64', 4, 16)])
        self.assertEqual([row['ratio'] for row in ours if row['bits'] == 8], [1, 1])
        self.assertEqual(len(rows), len(ours) + 2 * self.has_onednn())
        self.assertIn('stored in 16 bits', self.run_it('bench', '--gemm', '1x64x64', '--bits', '4', '--isa', 'generic', '--seconds', '0.02').stdout)

    def test_bench_has_a_row_for_each_peer_or_says_why_not(self):
        ending = save_mlp(self.folder / 'ending.onnx', last=helper.make_node('Softmax', ['scores'], ['output'], 'softmax'))
        ending8 = self.folder / 'ending.int8.onnx'
        self.run_it('quantize', ending, '--data', 'digits', '--calibration-samples', 50, '-o', ending8)
        done = self.run_it('bench', self.int8, ending8, '--peers', 'onednn', '--batch', 2, '--seconds', '0.02', '--json')
        rows = json.loads(done.stdout)
        peers = ['halftone', 'onednn', 'halftone'] if self.has_onednn() else ['halftone', 'halftone']
        self.assertEqual([row['peer'] for row in rows], peers)
        if self.has_onednn():  # floats behind the integers
            self.assertRegex(done.stderr, f'skipped: onednn: {ending8}: .*Island')

    def test_bench_refuses_what_is_not_the_library_of_onnxruntime(self):
        peers = ('bench', self.int8, '--peers', 'onnxruntime', '--onnxruntime')
        self.expect_error(*peers, self.folder / 'none.so', code=BAD, says='none.so')
        self.expect_error(*peers, self.model, code=BAD, says='does not open')
        self.expect_error(*peers, self.folder, code=BAD, says='does not open')
        library = ctypes.util.find_library('z')
        if library:
            path = next((p for p in pathlib.Path('/').glob(f'usr/lib/*/{library}')), None)
            if path:
                self.expect_error(*peers, path, code=BAD, says='OrtGetApiBase')
        self.expect_error('bench', self.int8, '--onnxruntime', self.model, code=USAGE, says='--peers')
        self.expect_error('bench', self.int8, '--peers', 'onnxruntime', code=USAGE, says='--onnxruntime')

    def bench(self, *arguments):
        return json.loads(self.run_it('bench', *arguments, '--seconds', '0.02', '--json').stdout)

    def has_onednn(self):
        done = self.run_it('bench', '--gemm', '1x1x1', '--seconds', '0.01')
        return 'built without oneDNN' not in done.stderr

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

    def test_verify_compares_the_threads_and_instruction_sets_asked_for(self):
        def engines(*more):
            out = json.loads(self.run_it('verify', self.int8, '--data', 'digits', '--samples', 10, '--json', *more).stdout)
            return [e['name'] for e in out['engines']]

        self.assertEqual(engines('--isa', 'generic', '--threads', '3'), ['engine generic, 3 threads'])
        self.assertEqual(engines('--isa', 'generic,all', '--threads', '1'), sorted(engines('--threads', '1'), key=lambda n: 'generic' not in n))
        self.assertEqual(engines('--isa', 'all,generic', '--threads', '1,2'), engines())
        for threads in ('0', '65', '1,1', 'two', ''):
            self.expect_error('verify', self.int8, '--data', 'digits', '--threads', threads, code=USAGE, says='--threads')
        self.expect_error('verify', self.int8, '--data', 'digits', '--isa', 'all,', code=USAGE, says='--isa')

    def test_outputs_are_those_of_the_plain_interpreter(self):
        x = np.random.default_rng(1).random((9, 1, 28, 28), np.float32)
        np.save(self.folder / 'x.npy', x)
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'engine.npy')
        # Values that are looked at one by one are the plain interpreter's.
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'plain.npy', '--dump', self.folder / 'values')
        np.testing.assert_array_equal(np.load(self.folder / 'engine.npy'), np.load(self.folder / 'plain.npy'))


if __name__ == '__main__':
    unittest.main()
