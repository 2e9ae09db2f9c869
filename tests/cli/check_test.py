#!/usr/bin/env python3
"""`inspect --check` and `quantize --allow-float`: what keeps a network from integers alone, before any work."""
import json
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from program import ProgramTest, save, save_mlp

USAGE, BAD = 2, 3


class Check(ProgramTest):
    def check(self, model, *arguments, code=0):
        out = json.loads(self.run_it('inspect', model, '--check', '--json', *arguments, code=code).stdout)
        self.assertEqual(out['integers_alone'], code == 0)
        return out

    def islands(self):
        """Two normalizations between linear layers, of which each keeps its neighbours apart, and a Softmax inside and at the end."""
        random = np.random.default_rng(1)
        weights = {f'w{i}': random.normal(0, 0.1, (n, m)).astype(np.float32) for i, (n, m) in enumerate(((784, 16), (16, 16), (16, 10)))}
        weights['scale'] = np.ones(16, np.float32)
        nodes = [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'), helper.make_node('MatMul', ['flat', 'w0'], ['h0'], 'fc0'),
                 helper.make_node('LayerNormalization', ['h0', 'scale'], ['n0'], 'norm0'), helper.make_node('MatMul', ['n0', 'w1'], ['h1'], 'fc1'),
                 helper.make_node('LayerNormalization', ['h1', 'scale'], ['n1'], 'norm1'), helper.make_node('Softmax', ['n1'], ['s'], 'inner'),
                 helper.make_node('MatMul', ['s', 'w2'], ['h2'], 'fc2'), helper.make_node('Softmax', ['h2'], ['output'], 'outer')]
        return save(self.folder / 'islands.onnx', nodes, weights, opset=17)

    def test_integers_alone(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        out = self.check(model)
        self.assertEqual((out['findings'], out['complete'], out['quantized']), ([], True, False))
        self.assertIn('can be quantized to integers alone', self.run_it('inspect', model, '--check').stdout)
        quantized = self.folder / 'q.onnx'
        self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 20, '-o', quantized)
        self.assertTrue(self.check(quantized)['quantized'])

    def test_a_float_end_is_no_obstacle(self):
        for last in ('Softmax', 'LogSoftmax', 'ArgMax', 'Hardmax'):
            model = save_mlp(self.folder / 'm.onnx', last=helper.make_node(last, ['scores'], ['output'], 'last', axis=1))
            if last == 'ArgMax':
                proto = onnx.load(str(model))
                proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
                onnx.save(proto, str(model))
            out = self.check(model)
            self.assertEqual([(f['op'], f['node'], f['verdict']) for f in out['findings']], [(last, 'last', 'float_end')])
            quantized = self.folder / 'q.onnx'
            s = json.loads(self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 20, '-o', quantized, '--json').stdout)
            self.assertEqual([(n['node'], n['ends_network']) for n in s['float_nodes']], [('last', True)])
            self.check(quantized)

    def test_float_nodes_are_refused_by_name_unless_allowed(self):
        model, quantized = self.islands(), self.folder / 'q.onnx'
        out = self.check(model, code=1)
        found = {f['node']: f for f in out['findings']}
        self.assertEqual({n: f['verdict'] for n, f in found.items()}, {'norm0': 'float', 'norm1': 'float', 'inner': 'float', 'outer': 'float_end'})
        self.assertIn('--allow-float', found['norm0']['remedy'])
        text = self.run_it('inspect', model, '--check', code=1).stdout
        self.assertIn("LayerNormalization 'norm0', 'norm1': ", text)
        self.assertIn('0 not supported, 3 in float only', text)
        message = self.expect_error('quantize', model, '--data', 'digits', '-o', quantized, code=BAD, says='--allow-float')
        for part in ("LayerNormalization 'norm0' (", "'norm1' (", "Softmax 'inner' (", '3 nodes'):
            self.assertIn(part, message)
        self.assertNotIn('outer', message)
        self.assertFalse(quantized.exists())
        s = json.loads(self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 20, '-o', quantized, '--allow-float', '--json').stdout)
        self.assertEqual([n['node'] for n in s['float_nodes']], ['norm0', 'norm1', 'inner', 'outer'])
        self.assertEqual((s['float_macs'], s['integer_macs']), (0, 784 * 16 + 256 + 160))
        self.assertEqual(self.check(quantized, code=1)['float'], 3)
        self.run_it('verify', quantized, '--data', 'digits', '--samples', 20)

    def test_refused_before_samples_are_read(self):
        self.expect_error('quantize', self.islands(), '--data', self.folder / 'none.npz', '-o', self.folder / 'q.onnx', code=BAD, says='norm0')

    def test_float_multiply_adds_are_counted(self):
        w = np.random.default_rng(0).normal(0, 0.1, (784, 10)).astype(np.float32)
        nodes = [helper.make_node('Flatten', ['input'], ['f'], 'flatten'), helper.make_node('MatMul', ['f', 'w'], ['h'], 'fc'),
                 helper.make_node('Transpose', ['h'], ['t'], 'turn'), helper.make_node('MatMul', ['h', 't'], ['output'], 'square')]
        model = save(self.folder / 'm.onnx', nodes, {'w': w}, inputs=(('input', [4, 1, 28, 28]),), outputs=(('output', [4, 4]),))
        np.savez(self.folder / 'x.npz', input=np.random.default_rng(0).random((8, 1, 28, 28), np.float32))
        self.assertEqual([f['node'] for f in self.check(model, code=1)['findings']], ['square'])
        s = json.loads(self.run_it('quantize', model, '--data', self.folder / 'x.npz', '-o', self.folder / 'q.onnx', '--allow-float', '--json').stdout)
        self.assertEqual([n['multiply_adds'] for n in s['float_nodes']], [40])  # of one sample, although the file says 4
        self.assertEqual((s['float_macs'], s['integer_macs']), (40, 7840))

    def test_every_row_of_a_product_is_counted_by_every_command(self):
        numbers = np.random.default_rng(0)
        for batch in ('N', 2):
            model = save(self.folder / 'rows.onnx', [helper.make_node('MatMul', ['input', 'w'], ['output'], 'rows')],
                         {'w': numbers.normal(0, .1, (20, 3)).astype('f4')}, inputs=(('input', [batch, 7, 20]),), outputs=(('output', [batch, 7, 3]),))
            data = self.folder / 'rows.npz'
            np.savez(data, input=numbers.random((32, 7, 20), np.float32))
            macs = 7 * 20 * 3
            self.assertEqual([n['multiply_adds'] for n in json.loads(self.run_it('inspect', model, '--json').stdout)['layers']], [macs])
            quantized = self.folder / 'rows.int8.onnx'
            self.assertEqual(json.loads(self.run_it('quantize', model, '--data', data, '-o', quantized, '--json').stdout)['integer_macs'], macs)
            rows = json.loads(self.run_it('evaluate', model, quantized, '--data', data, '--reference', model, '--json').stdout)
            self.assertEqual([r['integer_macs'] + r['float_macs'] for r in rows], [macs] * 3)

    def test_sums_of_lower_rank_and_transposed_convolutions_are_counted_alike(self):
        numbers = np.random.default_rng(0)
        cases = {'sum': ([helper.make_node('Add', ['z', 'input'], ['s'], 'sum'), helper.make_node('MatMul', ['s', 'w'], ['output'], 'fc')],
                         {'w': numbers.normal(0, .1, (4, 3)).astype('f4')}, (('input', ['N', 4]), ('z', ['N', 4])), ['N', 3], 12),
                 'up': ([helper.make_node('ConvTranspose', ['input', 'w'], ['output'], 'up', strides=[2, 2], pads=[1, 1, 1, 1])],
                        {'w': numbers.normal(0, .1, (4, 8, 3, 3)).astype('f4')}, (('input', ['N', 4, 5, 5]),), ['N', 8, 9, 9], 7200)}
        for name, (nodes, weights, inputs, output, macs) in cases.items():
            model = save(self.folder / f'{name}.onnx', nodes, weights, inputs=inputs, outputs=(('output', output),))
            data = self.folder / f'{name}.npz'
            np.savez(data, **{i: numbers.random([32] + shape[1:], np.float32) for i, shape in inputs})
            quantized = self.folder / f'{name}.int8.onnx'
            self.assertEqual(json.loads(self.run_it('quantize', model, '--data', data, '-o', quantized, '--json').stdout)['integer_macs'], macs, name)
            rows = json.loads(self.run_it('evaluate', model, quantized, '--data', data, '--reference', model, '--json').stdout)
            self.assertEqual([r['integer_macs'] + r['float_macs'] for r in rows], [macs] * 3, name)

    def test_a_codebook_is_of_one_size_in_every_command(self):
        numbers = np.random.default_rng(0)
        nodes = [helper.make_node('Conv', ['input', 'w'], ['c'], 'conv'), helper.make_node('Flatten', ['c'], ['f']),
                 helper.make_node('Gemm', ['f', 'v'], ['output'], 'fc')]
        model = save(self.folder / 'c.onnx', nodes, {'w': numbers.normal(0, .1, (16, 3, 3, 3)).astype('f4'), 'v': numbers.normal(0, .1, (256, 10)).astype('f4')},
                     inputs=(('input', ['N', 3, 6, 6]),), outputs=(('output', ['N', 10]),))
        data = self.folder / 'c.npz'
        np.savez(data, input=numbers.random((32, 3, 6, 6), np.float32))
        quantized = self.folder / 'c.cb.onnx'
        told = json.loads(self.run_it('quantize', model, '--data', data, '--bits', 'w4a8', '--codebook', 'kmeans', '-o', quantized, '--json').stdout)
        self.assertEqual(json.loads(self.run_it('inspect', quantized, '--json').stdout)['parameter_bytes'], told['parameter_bytes'])

    def test_every_unsupported_operator_is_listed(self):
        nodes = [helper.make_node('Flatten', ['input'], ['v0'], 'flatten')]
        nodes += [helper.make_node('Det', [f'v{i}'], [f'v{i + 1}'], f'det{i}') for i in range(13)]
        nodes += [helper.make_node('Odd', ['v13'], ['output'], domain='my.domain')]
        model = save(self.folder / 'odd.onnx', nodes, {})
        out = self.check(model, code=1)
        self.assertEqual(sorted(f['node'] for f in out['findings']), sorted([f'det{i}' for i in range(13)] + ['output']))
        self.assertEqual((out['unsupported'], out['complete']), (14, False))
        self.assertIn('my.domain.Odd', [f['op'] for f in out['findings']])
        text = self.run_it('inspect', model, '--check', code=1).stdout
        self.assertIn("'det12'", text)
        self.assertIn('14 not supported', text)
        self.assertIn('more may come to light', text)

    def test_refusals_of_the_reader_have_a_remedy(self):
        random = np.random.default_rng(0)
        conv = [helper.make_node('Conv', ['input', 'k'], ['output'], 'conv')]
        model = save(self.folder / 'open.onnx', conv, {'k': random.normal(0, 1, (4, 1, 3, 3)).astype(np.float32)}, inputs=(('input', ['N', 1, 'H', 'W']),),
                     outputs=(('output', ['N', 4, 'H2', 'W2']),))
        out = self.check(model, code=1)
        self.assertEqual(len(out['findings']), 1)
        self.assertIn('--shape', out['findings'][0]['remedy'])
        self.check(model, '--shape', 'input=Nx1x28x28')
        old = onnx.load(str(save_mlp(self.folder / 'old.onnx')))
        old.opset_import[0].version = 3
        onnx.save(old, str(self.folder / 'old.onnx'))
        self.assertIn('operator set 13 or newer', self.check(self.folder / 'old.onnx', code=1)['findings'][0]['remedy'])

    def test_damaged_files(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        model.write_bytes(model.read_bytes()[:1000])
        self.expect_error('inspect', model, '--check', code=BAD)
        self.expect_error('inspect', self.folder / 'none.onnx', '--check', code=BAD)
        self.expect_error('inspect', save_mlp(self.folder / 'mlp.onnx'), '--check', '--shape', 'x', code=USAGE)


if __name__ == '__main__':
    unittest.main()
