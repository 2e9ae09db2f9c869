#!/usr/bin/env python3
"""--shape on every command: sizes of inputs that the file leaves open."""
import json
import unittest

import numpy as np
from onnx import helper

from program import ProgramTest, save

USAGE, BAD = 2, 3


class ShapeOption(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        weights = {'k': random.normal(0, 0.3, (4, 1, 3, 3)).astype(np.float32), 'w': random.normal(0, 0.1, (4, 10)).astype(np.float32)}
        nodes = [helper.make_node('Conv', ['input', 'k'], ['c'], 'conv', kernel_shape=[3, 3]), helper.make_node('Relu', ['c'], ['r'], 'relu'),
                 helper.make_node('GlobalAveragePool', ['r'], ['p'], 'pool'), helper.make_node('Flatten', ['p'], ['f'], 'flatten'),
                 helper.make_node('Gemm', ['f', 'w'], ['output'], 'fc')]
        self.model = save(self.folder / 'open.onnx', nodes, weights, inputs=(('input', ['N', 1, 'H', 'W']),))

    def test_every_command_takes_it(self):
        shape = ('--shape', 'input=Nx1x28x28')
        out = json.loads(self.run_it('inspect', *shape, self.model, '--json').stdout)
        self.assertEqual(out['inputs'][0]['shape'], 'Nx1x28x28')
        quantized = self.folder / 'q.onnx'
        self.run_it('quantize', self.model, '--data', 'digits', '--calibration-samples', 64, '-o', quantized, *shape)
        self.assertEqual(json.loads(self.run_it('inspect', quantized, '--json').stdout)['inputs'][0]['shape'], 'Nx1x28x28')
        self.run_it('evaluate', self.model, quantized, '--data', 'digits', '--samples', 8, *shape)
        self.run_it('verify', quantized, '--data', 'digits', '--samples', 8, '--shape', 'input=Nx1x28x28')
        np.save(self.folder / 'x.npy', np.zeros((2, 1, 28, 28), np.float32))
        self.run_it('run', self.model, '--shape=input=2x1x28x28', '--input', self.folder / 'x.npy')

    def test_without_it_the_message_says_what_to_do(self):
        self.expect_error('inspect', self.model, code=BAD, says='input=Nx1x?x?')

    def test_wrong_syntax_names_and_sizes(self):
        for text in ('', 'input', 'input=', '=1x2', 'input=1x', 'input=x1', 'input=1xNx28x28', 'input=1x-1x28x28', 'input=0x1x28x28',
                     'input=1,1,28,28', 'input=1x1x28x99999999999999999999', 'input=1x1x28x2.5'):
            with self.subTest(text):
                self.expect_error('inspect', self.model, '--shape', text, code=USAGE)
        self.expect_error('inspect', self.model, '--shape', 'image=1x1x28x28', code=USAGE, says='expected one of: input')
        self.expect_error('inspect', self.model, '--shape', 'input=1x3x28x28', code=USAGE, says='Nx1xNxN')
        twice = ('--shape', 'input=Nx1x28x28', '--shape', 'input=Nx1x28x28')
        self.expect_error('inspect', self.model, *twice, code=USAGE, says='twice')
        self.expect_error('inspect', self.model, '--shape', 'input=Nx1x2x2', code=BAD, says="'conv'")


if __name__ == '__main__':
    unittest.main()
