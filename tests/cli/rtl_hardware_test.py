#!/usr/bin/env python3
"""`halftone rtl` with its tools: arrays and layers simulated, and synthesized."""
import json
import os
import shutil
import unittest

import numpy as np

from program import ProgramTest, save
from onnx import helper


def wants(tool):
    return unittest.skipUnless(shutil.which(tool), f'skipped: {tool} is missing')


def save_cnn(path):
    """A convolution with padding and stride, a ReLU, a convolution of one place, a Gemm."""
    rng = np.random.default_rng(1)
    weights = {'w1': rng.normal(size=(5, 1, 3, 3)), 'b1': rng.normal(size=5), 'w2': rng.normal(size=(4, 5, 1, 1)), 'b2': rng.normal(size=4),
               'w3': rng.normal(size=(10, 4 * 14 * 14)) / 20, 'b3': rng.normal(size=10)}
    nodes = [helper.make_node('Conv', ['input', 'w1', 'b1'], ['c1'], name='conv1', kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
             helper.make_node('Relu', ['c1'], ['r1'], name='relu1'),
             helper.make_node('Conv', ['r1', 'w2', 'b2'], ['c2'], name='conv2'),
             helper.make_node('Flatten', ['c2'], ['f'], name='flatten'),
             helper.make_node('Gemm', ['f', 'w3', 'b3'], ['output'], name='fc', transB=1)]
    return save(path, nodes, {name: w.astype(np.float32) for name, w in weights.items()})


class Hardware(ProgramTest):
    def setUp(self):
        super().setUp()
        os.environ['XDG_CACHE_HOME'] = os.environ.get('HALFTONE_KEPT', str(self.folder))

    def rtl(self, *arguments, code=0):
        return json.loads(self.run_it('rtl', *arguments, '--json', code=code).stdout)

    @wants('verilator')
    def test_layers_of_a_network(self):
        model = save_cnn(self.folder / 'cnn.onnx')
        for options in ((), ('--bits', 'w4a8'), ('--arithmetic', 'shift', '--symmetric', '--granularity', 'tensor'), ('--mantissa', 16, '--rounding', 'half_away')):
            quantized = self.folder / 'q.onnx'
            self.run_it('quantize', model, '--data', 'digits', *options, '-o', quantized)
            for layer in ('conv1', 'conv2', 'fc'):
                out = self.rtl(quantized, '--layer', layer, '--simulate', '--data', 'digits', '--samples', 10, '--array', '4x3')
                self.assertEqual(out['different'], 0, (options, layer))
                self.assertEqual(out['outputs'], 10 * {'conv1': 5 * 14 * 14, 'conv2': 4 * 14 * 14, 'fc': 10}[layer])

    @wants('verilator')
    def test_one_layer_in_integers_and_the_rest_in_float(self):
        model = save_cnn(self.folder / 'cnn.onnx')
        self.run_it('quantize', model, '--data', 'digits', '--only', 'conv2', '-o', self.folder / 'q.onnx')
        out = self.rtl(self.folder / 'q.onnx', '--layer', 'conv2', '--simulate', '--data', 'digits', '--samples', 5, '--array', '4x3')
        self.assertEqual((out['different'], out['outputs']), (0, 5 * 4 * 14 * 14))

    @wants('verilator')
    def test_the_pipeline_of_lab6(self):
        rng = np.random.default_rng(2)
        weights = {f'w{i}': rng.normal(0, 0.2, size).astype(np.float32) for i, size in ((1, (8, 784)), (2, (8, 8)), (3, (10, 8)))}
        nodes = [helper.make_node('Flatten', ['input'], ['f'], name='flatten'), helper.make_node('Gemm', ['f', 'w1'], ['g1'], name='fc1', transB=1),
                 helper.make_node('Tanh', ['g1'], ['t1'], name='tanh1'), helper.make_node('Gemm', ['t1', 'w2'], ['g2'], name='fc2', transB=1),
                 helper.make_node('Tanh', ['g2'], ['t2'], name='tanh2'), helper.make_node('Gemm', ['t2', 'w3'], ['output'], name='fc3', transB=1)]
        model = save(self.folder / 'mlp.onnx', nodes, weights)
        for kind in ('clamp', 'low8'):
            out = self.rtl(model, '--lab6', kind, '--simulate', '--data', 'digits', '--samples', 100)
            self.assertEqual((out['different'], out['outputs'], out['samples']), (0, 2 * 64 * 8, 100))

    @wants('verilator')
    def test_an_array(self):
        out = self.rtl('--array', '4x3', '--shape', '9x40x7', '--simulate', '--outputs', 5000, '--mantissa', 16)
        self.assertEqual((out['different'], out['cycles']), (0, out['predicted']))
        self.assertGreaterEqual(out['outputs'], 5000)
        again = self.rtl('--array', '4x3', '--shape', '9x40x7', '--simulate', '--outputs', 5000, '--mantissa', 16)
        self.assertEqual(out, again)

    @wants('yosys')
    def test_synthesis(self):
        out = self.rtl('--array', '2x2', '--mantissa', 16, '--synthesize', '-o', self.folder / 'made')
        self.assertTrue(out['fits'])
        self.assertEqual(out['dsp'], {'used': 4 + 1, 'of': 220})
        self.assertEqual(sorted(p.name for p in (self.folder / 'made').iterdir()), ['Top.sv', 'library', 'report.json'])

    @wants('nextpnr-ice40')
    @wants('yosys')
    def test_a_placed_array(self):
        out = self.rtl('--array', '2x2', '--mantissa', 16, '--device', 'up5k', '--synthesize', '--mhz', 30, '-o', self.folder / 'made')
        self.assertEqual(len(out['mhz_of_seeds']), 2)
        self.assertEqual(out['mhz'], min(out['mhz_of_seeds']))
        self.assertGreaterEqual(out['mhz'], 30)
        self.assertGreater((self.folder / 'made' / 'Top.bin').stat().st_size, 10_000)
        missed = self.rtl('--array', '2x2', '--mantissa', 16, '--device', 'up5k', '--synthesize', '--mhz', 500, code=1)
        self.assertFalse(missed['met'])


if __name__ == '__main__':
    unittest.main()
