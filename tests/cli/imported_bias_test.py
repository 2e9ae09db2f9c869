"""Files of others whose biases are float: the simulation adds what the integers add, and verify says so."""
import json
import pathlib
import sys
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest

QONNX = 'qonnx.custom_op.general'
S_X, S_Y = 2.0 ** -5, 0.03


class ImportedBiasTest(ProgramTest):
    def save(self, nodes, weights, domains=(), outputs=(6, 6, 6)):
        graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['N', 3, 6, 6])],
                                  [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['N', *outputs])],
                                  [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13), *[helper.make_opsetid(d, 1) for d in domains]])
        model.ir_version = 8
        onnx.save(model, str(self.folder / 'net.onnx'))
        np.save(self.folder / 'x.npy', np.random.default_rng(3).normal(0, 1, (16, 3, 6, 6)).astype('f4'))
        return self.folder / 'net.onnx'

    def pairs(self, bias, axis=0, relu=False):
        """QuantizeLinear of activations and of float weights, one scale a channel."""
        w = np.random.default_rng(17).normal(0, .3, (6, 3, 3, 3)).astype('f4')
        self.s_w = (np.abs(w).max((1, 2, 3)) / 127).astype('f4')
        self.q_w = np.rint(w / self.s_w[:, None, None, None]).astype(int)
        weights = dict(w=w, ws=self.s_w, wz=np.zeros(6, 'i1'), xs=np.float32(S_X), xz=np.array(0, 'i1'), ys=np.float32(S_Y), yz=np.array(-10, 'i1'), b=bias)
        nodes = [helper.make_node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']), helper.make_node('DequantizeLinear', ['xq', 'xs', 'xz'], ['xd']),
                 helper.make_node('QuantizeLinear', ['w', 'ws', 'wz'], ['wq'], axis=axis), helper.make_node('DequantizeLinear', ['wq', 'ws', 'wz'], ['wd'], axis=axis),
                 helper.make_node('Conv', ['xd', 'wd', 'b'], ['c'], 'conv', pads=[1] * 4), *([helper.make_node('Relu', ['c'], ['r'])] if relu else []),
                 helper.make_node('QuantizeLinear', ['r' if relu else 'c', 'ys', 'yz'], ['yq']), helper.make_node('DequantizeLinear', ['yq', 'ys', 'yz'], ['y'])]
        return self.save(nodes, weights)

    def verify(self, path):
        out = json.loads(self.run_it('verify', path, '--data', self.folder / 'x.npy', '--json').stdout)
        self.assertEqual(out['unexplained'], 0)
        return out['rounded_biases']

    def expected(self, q_b, relu=False):
        """The integers y, in exact arithmetic but for the one float32 rounding of mode onnx."""
        x = np.load(self.folder / 'x.npy')
        q_x = np.clip(np.rint(x / np.float32(S_X)), -128, 127).astype(int)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(q_x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
        acc = np.einsum('nchwkl,mckl->nmhw', windows, self.q_w) + q_b[None, :, None, None]
        m = (np.float32(S_X) * self.s_w) / np.float32(S_Y)
        q_y = np.clip(np.rint(acc.astype('f4') * m[None, :, None, None]) - 10, -128, 127)
        return np.maximum(q_y, -10) if relu else q_y

    def test_a_float_bias_is_verified_and_named(self):
        bias = np.random.default_rng(18).normal(0, .3, 6).astype('f4')
        for axis, relu in ((0, False), (-4, True)):
            path = self.pairs(bias, axis, relu)
            moved = self.verify(path)
            self.assertEqual([m['layer'] for m in moved], ['conv'])
            steps = bias.astype(float) / (S_X * self.s_w.astype(float))
            self.assertAlmostEqual(moved[0]['max_steps'], np.abs(steps - np.rint(steps)).max(), places=3)
            self.assertIn("float bias of layer 'conv'", self.run_it('verify', path, '--data', self.folder / 'x.npy').stdout)
            self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
            np.testing.assert_array_equal(np.rint(np.load(self.folder / 'y.npy') / np.float32(S_Y)) - 10, self.expected(np.rint(steps), relu))

    def test_a_bias_on_the_grid_is_not_named(self):
        q = np.array([-300, -1, 0, 1, 17, 100000])
        self.pairs(np.zeros(6, 'f4'))
        path = self.pairs((q * (np.float32(S_X) * self.s_w)).astype('f4'))
        self.assertEqual(self.verify(path), [])
        self.assertNotIn('bias', self.run_it('verify', path, '--data', self.folder / 'x.npy').stdout)

    def test_the_simulated_row_is_of_the_same_bias(self):
        """A bias of less than half a step is none; steps of 1/4 make that visible."""
        weights = dict(w=np.zeros((6, 3, 1, 1), 'i1'), ws=np.float32(8), xs=np.float32(S_X), xz=np.array(0, 'i1'), b=np.full(6, .12, 'f4'),
                       ys=np.float32(.01), yz=np.array(0, 'i1'))
        nodes = [helper.make_node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']), helper.make_node('DequantizeLinear', ['xq', 'xs', 'xz'], ['xd']),
                 helper.make_node('DequantizeLinear', ['w', 'ws'], ['wd']), helper.make_node('Conv', ['xd', 'wd', 'b'], ['c'], 'conv'),
                 helper.make_node('QuantizeLinear', ['c', 'ys', 'yz'], ['yq']), helper.make_node('DequantizeLinear', ['yq', 'ys', 'yz'], ['y'])]
        path = self.save(nodes, weights)
        np.save(self.folder / 'zeros.npy', np.zeros((16, 6, 6, 6), 'f4'))
        rows = json.loads(self.run_it('evaluate', path, '--data', self.folder / 'x.npy', '--reference', self.folder / 'zeros.npy', '--json').stdout)
        self.assertEqual({r['mode'] for r in rows}, {'simulated', 'integer'})
        self.assertEqual([r['outputs'][0]['max_absolute_error'] for r in rows], [0, 0])
        self.assertAlmostEqual(self.verify(path)[0]['max_steps'], .48, places=5)

    def test_quant_nodes(self):
        r = np.random.default_rng(20)
        weights = dict(w=r.normal(0, .3, (6, 3, 3, 3)).astype('f4'), ws=np.float32(.1), z=np.float32(0), four=np.float32(4), eight=np.float32(8),
                       xs=np.float32(S_X), ys=np.float32(.05), b=r.normal(0, .3, 6).astype('f4'))
        quant = lambda x, s, bits, y: helper.make_node('Quant', [x, s, 'z', bits], [y], y, domain=QONNX, signed=1, narrow=0, rounding_mode='ROUND')
        nodes = [quant('x', 'xs', 'eight', 'xq'), quant('w', 'ws', 'four', 'wq'), helper.make_node('Conv', ['xq', 'wq', 'b'], ['c'], 'conv', pads=[1] * 4), quant('c', 'ys', 'eight', 'y')]
        self.assertEqual([m['layer'] for m in self.verify(self.save(nodes, weights, [QONNX]))], ['conv'])

    def test_our_own_files_have_none(self):
        r = np.random.default_rng(21)
        nodes = [helper.make_node('Conv', ['x', 'w', 'b'], ['y'], 'conv', pads=[1] * 4)]
        real = self.save(nodes, dict(w=r.normal(0, .3, (6, 3, 3, 3)).astype('f4'), b=r.normal(0, .3, 6).astype('f4')))
        for options in ([], ['--granularity', 'group=3'], ['--bits', 'w4a8'], ['--format', 'qoperator', '--symmetric'], ['--format', 'qonnx']):
            out = self.folder / 'q.onnx'
            self.run_it('quantize', real, '--data', self.folder / 'x.npy', '-o', out, *options)
            moved = self.verify(out)
            if '--format' not in options or 'qonnx' not in options:
                self.assertEqual(moved, [], options)


if __name__ == '__main__':
    unittest.main()
