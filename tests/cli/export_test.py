#!/usr/bin/env python3
"""`halftone export`: every layer's integers, scales and zero points as NumPy reads them."""
import json
import unittest

import numpy as np
import onnx
from onnx import helper, numpy_helper

from program import PLAIN, ProgramTest, save, save_mlp

USAGE, BAD = 2, 3


def unpack(a, layer):
    """The integers of LAYER.weight, from the words of docs/arithmetic.md section 1 alone."""
    rows, bits, shape = a[f'{layer}.weight'], int(a[f'{layer}.weight_bits']), tuple(a[f'{layer}.weight_shape'])
    columns = int(np.prod(shape[1:]))
    every = np.unpackbits(rows, axis=1, bitorder='little')[:, :columns * bits].reshape(shape[0], columns, bits).astype(np.int64)
    q = (every << np.arange(bits)).sum(2)
    if bits == 1:
        q = 2 * q - 1
    elif a[f'{layer}.weight_zero_point'].dtype.kind == 'i':
        q = np.where(q >= 2 ** (bits - 1), q - 2 ** bits, q)
    return q.reshape(shape)


class ExportTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.npz = self.folder / 'w.npz'

    def export(self, model, *arguments):
        self.run_it('export', model, '--npz', self.npz, *arguments)
        return dict(np.load(self.npz))

    def quantized(self, *arguments, model=None, data='digits'):
        output = self.folder / 'q.onnx'
        self.run_it('quantize', model or self.model, '--data', data, '-o', output, '--calibration-samples', 50, *arguments)
        return output

    def constants(self, file):
        return {t.name: numpy_helper.to_array(t) for t in onnx.load(str(file)).graph.initializer}


class Integers(ExportTest):
    def test_arrays_are_those_of_the_file(self):
        file = self.quantized()
        a, c = self.export(file), self.constants(file)
        self.assertEqual(sorted(n for n in a if n.startswith('fc1')),
                         sorted('fc1.' + n for n in ('weight', 'weight_scale', 'weight_zero_point', 'weight_axis', 'bias', 'bias_scale', 'input_scale',
                                                     'input_zero_point', 'output_scale', 'output_zero_point')))
        for array, constant in (('fc1.weight', 'w1_quantized'), ('fc1.weight_scale', 'w1_scale'), ('fc1.weight_zero_point', 'w1_zero_point'),
                                ('fc1.bias', 'b1_quantized'), ('fc1.bias_scale', 'b1_scale'), ('fc1.input_scale', 'input_scale'),
                                ('fc1.input_zero_point', 'input_zero_point'), ('fc1.output_scale', 'h_scale'), ('fc1.output_zero_point', 'h_zero_point'),
                                ('fc2.weight', 'w2_quantized'), ('fc2.input_scale', 'a_scale'), ('fc2.output_scale', 'output_scale')):
            np.testing.assert_array_equal(a[array], c[constant], array)
            self.assertEqual(a[array].dtype, c[constant].dtype, array)
        self.assertEqual((a['fc1.weight'].dtype, a['fc1.bias'].dtype, int(a['fc1.weight_axis'])), (np.int8, np.int32, 0))
        self.assertNotIn('fc2.bias', a)

    def test_numpy_computes_the_same_integers_from_them(self):
        file = self.quantized()
        a = self.export(file)
        x = np.random.default_rng(1).random((20, 1, 28, 28), np.float32)
        np.save(self.folder / 'x.npy', x)
        self.run_it('run', file, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy', '--dump', self.folder / 'd')
        q = np.clip(np.round(x.reshape(20, 784) / a['fc1.input_scale']) + a['fc1.input_zero_point'], -128, 127).astype(np.int64)
        acc = (q - a['fc1.input_zero_point']) @ a['fc1.weight'].astype(np.int64).T + a['fc1.bias']
        m = a['fc1.input_scale'].astype(np.float64) * a['fc1.weight_scale'] / a['fc1.output_scale']
        y = np.clip(np.round(acc * m) + a['fc1.output_zero_point'], -128, 127)
        np.testing.assert_array_equal(y, np.load(self.folder / 'd' / 'h_quantized.npy'))

    def test_packed_is_the_same_integers(self):
        for bits, expected in (('w1a8', 1), ('wta8', 2), ('w2a8', 2), ('w3a8', 4), ('w4a8', 4), ('w5a8', 8), ('w8a8', 8), ('w12a8', 16)):
            for granularity in ('tensor', 'channel'):
                with self.subTest(f'{bits} {granularity}'):
                    file = self.quantized('--bits', bits, '--granularity', granularity)
                    plain, packed = self.export(file), self.export(file, '--packed')
                    for layer in ('fc1', 'fc2'):
                        self.assertEqual(int(packed[f'{layer}.weight_bits']), expected)
                        self.assertEqual(packed[f'{layer}.weight'].dtype, np.uint8)
                        self.assertEqual(packed[f'{layer}.weight'].shape[1], -(-plain[f'{layer}.weight'].shape[1] * expected // 8))
                        np.testing.assert_array_equal(unpack(packed, layer), plain[f'{layer}.weight'])
                        np.testing.assert_array_equal(packed[f'{layer}.weight_scale'], plain[f'{layer}.weight_scale'])
                        self.assertEqual(plain[f'{layer}.weight'].dtype, np.int16 if expected == 16 else np.int8)

    def test_asymmetric_weights_are_unpacked_with_their_zero_points(self):
        file = self.quantized('--asymmetric', '--bits', 'w4a8', *PLAIN)
        plain, packed = self.export(file), self.export(file, '--packed')
        np.testing.assert_array_equal(unpack(packed, 'fc1'), plain['fc1.weight'])
        real = plain['fc1.weight_scale'][:, None] * (plain['fc1.weight'].astype(np.float32) - plain['fc1.weight_zero_point'][:, None])
        w = numpy_helper.to_array(onnx.load(str(self.model)).graph.initializer[0])
        self.assertLess(np.abs(real - w).max(), 0.6 * plain['fc1.weight_scale'].max())

    def test_every_format_of_the_file_gives_the_same_arrays(self):
        whole = self.export(self.quantized('--arithmetic', 'onnx'))
        for form in ('qoperator', 'qonnx'):
            other = self.export(self.quantized('--arithmetic', 'onnx', '--format', form))
            for name, array in whole.items():
                if not name.endswith('.bias_scale'):
                    np.testing.assert_array_equal(other[name], array, f'{form} {name}')

    def test_weights_alone_have_no_activations(self):
        a = self.export(self.quantized('--bits', 'w4', '--allow-float'))
        self.assertEqual(sorted(n for n in a if n.startswith('fc1')), ['fc1.bias', 'fc1.weight', 'fc1.weight_axis', 'fc1.weight_scale', 'fc1.weight_zero_point'])
        self.assertEqual(a['fc1.bias'].dtype, np.float32)


class Windows(ExportTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(2)
        self.weights = {n: random.normal(0, 0.2, s).astype(np.float32) for n, s in
                        (('w1', (4, 1, 3, 3)), ('b1', (4,)), ('w2', (4, 3, 2, 2)), ('w3', (3 * 27 * 27, 10)), ('b3', (10,)))}
        nodes = [helper.make_node('Conv', ['input', 'w1', 'b1'], ['c'], 'conv'), helper.make_node('Relu', ['c'], ['r'], 'relu'),
                 helper.make_node('ConvTranspose', ['r', 'w2'], ['t'], 'up'), helper.make_node('Flatten', ['t'], ['f'], 'flat'),
                 helper.make_node('MatMul', ['f', 'w3'], ['m'], 'fc'), helper.make_node('Add', ['m', 'b3'], ['output'], 'add')]
        self.model = save(self.folder / 'conv.onnx', nodes, self.weights)

    def test_layers_with_dynamic_ranges_give_their_weights(self):
        layers = [helper.make_node('Conv', ['input', 'k', 'kb'], ['c'], 'conv', kernel_shape=[3, 3]), helper.make_node('Flatten', ['c'], ['flat'], 'flatten'),
                  helper.make_node('MatMul', ['flat', 'w'], ['output'], 'scores')]
        random = np.random.default_rng(5)
        real = {'k': random.normal(0, 0.2, (4, 1, 3, 3)).astype(np.float32), 'kb': random.normal(0, 1, 4).astype(np.float32),
                'w': random.normal(0, 0.1, (4 * 26 * 26, 10)).astype(np.float32)}
        model = save(self.folder / 'conv.onnx', layers, real)
        for arguments in ([], ['--granularity', 'tensor'], ['--asymmetric']):
            a = self.export(self.quantized('--dynamic', *arguments, model=model))
            np.testing.assert_array_equal(a['conv.bias'], real['kb'])
            for name, w, shape in (('conv', 'k', (-1, 1, 1, 1)), ('scores', 'w', (1, -1))):
                scale, zero = (a[f'{name}.weight_{of}'].reshape(shape if a[f'{name}.weight_{of}'].ndim else ()) for of in ('scale', 'zero_point'))
                self.assertEqual(a[f'{name}.weight'].dtype, np.int8)
                error = np.abs(scale * (a[f'{name}.weight'].astype(np.float64) - zero) - real[w])
                self.assertLessEqual((error - 0.501 * scale).max(), 0, (name, arguments))

    def test_float_weights_are_those_of_the_file(self):
        a = self.export(self.model)
        self.assertEqual(sorted(a), ['conv.bias', 'conv.weight', 'fc.bias', 'fc.weight', 'up.weight'])
        for array, constant in (('conv.weight', 'w1'), ('conv.bias', 'b1'), ('up.weight', 'w2'), ('fc.weight', 'w3'), ('fc.bias', 'b3')):
            np.testing.assert_array_equal(a[array], self.weights[constant])

    def test_integer_weights_have_the_shape_of_the_float_ones(self):
        file = self.quantized('--bits', 'w4a8', *PLAIN)
        plain, packed = self.export(file), self.export(file, '--packed')
        for layer, constant, axis in (('conv', 'w1', 0), ('up', 'w2', 1), ('fc', 'w3', 1)):
            w = self.weights[constant]
            self.assertEqual(int(plain[f'{layer}.weight_axis']), axis)
            scale = plain[f'{layer}.weight_scale'].reshape([-1 if d == axis else 1 for d in range(w.ndim)])
            self.assertLess(np.abs(plain[f'{layer}.weight'] * scale - w).max(), 0.51 * scale.max(), layer)
            np.testing.assert_array_equal(unpack(packed, layer), plain[f'{layer}.weight'])
            for name in ('input_scale', 'output_zero_point'):
                self.assertIn(f'{layer}.{name}', plain)
        np.testing.assert_array_equal(plain['conv.output_scale'], plain['up.input_scale'])


class Answers(ExportTest):
    def test_summary(self):
        file = self.quantized('--bits', 'w4a8')
        out = json.loads(self.run_it('export', file, '--npz', self.npz, '--packed', '--json').stdout)
        self.assertEqual([(l['name'], l['op'], l['weights'], l['dtype'], l['bits'], l['shape']) for l in out['layers']],
                         [('fc1', 'Gemm', 'int4', 'uint8', 4, [16, 784]), ('fc2', 'Gemm', 'int4', 'uint8', 4, [10, 16])])
        done = self.run_it('export', self.model, '--npz', self.npz)
        self.assertIn('fc1', done.stdout)
        self.assertIn('3 arrays', done.stdout)

    def test_the_same_bytes_every_time(self):
        file = self.quantized()
        self.export(file)
        first = self.npz.read_bytes()
        self.export(file)
        self.assertEqual(self.npz.read_bytes(), first)

    def test_refused_without_a_file(self):
        self.expect_error('export', self.model, '--npz', self.npz, '--packed', code=USAGE, says='float model')
        self.expect_error('export', self.model, '--npz', self.folder / 'w.npy', code=USAGE, says='.npz')
        self.expect_error('export', self.model, code=USAGE)
        self.expect_error('export', self.folder / 'none.onnx', '--npz', self.npz, code=BAD)
        self.expect_error('export', self.model, '--npz', self.folder / 'no' / 'w.npz', code=BAD)
        relu = save(self.folder / 'relu.onnx', [helper.make_node('Relu', ['input'], ['output'])], {}, outputs=(('output', ['N', 1, 28, 28]),))
        self.expect_error('export', relu, '--npz', self.npz, code=BAD, says='Conv')
        self.assertEqual(self.files(), ['mlp.onnx', 'relu.onnx'])


if __name__ == '__main__':
    unittest.main()
