"""Networks whose numbers are float16, bfloat16 or double: every command computes them in float32."""
import json
import pathlib
import sys
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest

BAD = 3

TYPES = {'float16': (TensorProto.FLOAT16, np.float16), 'bfloat16': (TensorProto.BFLOAT16, None), 'double': (TensorProto.DOUBLE, np.float64)}


def rounded(array, name):
    """Numbers that the type holds, as float64."""
    array = np.asarray(array, np.float32)
    if name == 'bfloat16':
        return (array.reshape(-1).view(np.uint32) & 0xffff0000).view(np.float32).astype(np.float64).reshape(array.shape)
    return array.astype(TYPES[name][1]).astype(np.float64)


def tensor(array, label, name):
    """An initializer of the type, of numbers that `rounded` gave."""
    code, numpy_type = TYPES[name]
    if numpy_type is not None:
        return numpy_helper.from_array(np.asarray(array).astype(numpy_type), label)
    high = (np.asarray(array, np.float32).reshape(-1).view(np.uint32) >> 16).astype(np.uint16)
    return helper.make_tensor(label, code, np.shape(array), high.tobytes(), raw=True)


def conv(x, w, b=None):
    """Convolution with padding that keeps the size."""
    pad = w.shape[2] // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    y = np.einsum('nchwkl,mckl->nmhw', windows, w)
    return y if b is None else y + b[None, :, None, None]


class TypesTest(ProgramTest):
    def save(self, name, nodes, weights, inputs, outputs, opset=13):
        code = TYPES[name][0]
        info = lambda values: [helper.make_tensor_value_info(n, code, s) for n, s in values]
        graph = helper.make_graph(nodes, 'g', info(inputs), info(outputs), [tensor(w, n, name) for n, w in weights.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])
        model.ir_version = 8
        path = self.folder / f'{name}.onnx'
        onnx.save(model, str(path))
        return path

    def network(self, name, seed=27):
        """A path, samples, and the outputs in double: sums beyond float16's largest number inside."""
        random = np.random.default_rng(seed)
        w = {'w1': random.normal(0, 2, (8, 3, 3, 3)), 'b1': random.normal(0, 50, 8), 'k': np.array(400.0), 'w2': random.normal(0, 1e-3, (4, 8, 1, 1))}
        w = {n: rounded(v, name) for n, v in w.items()}
        nodes = [helper.make_node('Conv', ['x', 'w1', 'b1'], ['a'], 'conv1', pads=[1] * 4),
                 helper.make_node('Mul', ['a', 'k'], ['b'], 'large'), helper.make_node('Relu', ['b'], ['c'], 'relu'),
                 helper.make_node('Conv', ['c', 'w2'], ['y'], 'conv2')]
        path = self.save(name, nodes, w, [('x', ['N', 3, 6, 6])], [('y', ['N', 4, 6, 6])])
        x = rounded(random.normal(0, 1, (16, 3, 6, 6)), name)
        return path, x, conv(np.maximum(conv(x, w['w1'], w['b1']) * w['k'], 0), w['w2'])

    def test_run_gives_the_numbers(self):
        for name in TYPES:
            path, x, y = self.network(name)
            largest = np.abs(y).max()
            for given in {'float16': (np.float16, np.float32, np.float64)}.get(name, (np.float32, np.float64)):
                np.save(self.folder / 'x.npy', x.astype(given))
                for dump in ([], ['--dump', self.folder / 'values']):
                    self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy', *dump)
                    out = np.load(self.folder / 'y.npy')
                    self.assertEqual(out.dtype, np.float32)
                    np.testing.assert_allclose(out, y, rtol=1e-4, atol=1e-5 * largest, err_msg=f'{name} {given} {dump}')

    def test_one_operator_alone(self):
        x = rounded(np.random.default_rng(2).normal(0, 3, (5, 7)), 'float16')
        w = rounded(np.random.default_rng(3).normal(0, 3, (7, 4)), 'float16')
        np.save(self.folder / 'x.npy', x.astype(np.float16))
        cases = [(helper.make_node('Relu', ['x'], ['y'], 'relu'), {}, np.maximum(x, 0)),
                 (helper.make_node('MatMul', ['x', 'w'], ['y'], 'matmul'), {'w': w}, x @ w),
                 (helper.make_node('Flatten', ['x'], ['y'], 'flatten'), {}, x),
                 (helper.make_node('Identity', ['x'], ['y'], 'same'), {}, x),
                 (helper.make_node('Softmax', ['x'], ['y'], 'softmax'), {}, np.exp(x) / np.exp(x).sum(1, keepdims=True)),
                 (helper.make_node('Concat', ['x', 'x'], ['y'], 'concat', axis=1), {}, np.concatenate([x, x], 1)),
                 (helper.make_node('Transpose', ['x'], ['y'], 'transpose', perm=[1, 0]), {}, x.T)]
        for node, weights, expected in cases:
            path = self.save('float16', [node], weights, [('x', [5, 7])], [('y', list(expected.shape))])
            self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
            np.testing.assert_allclose(np.load(self.folder / 'y.npy'), expected, rtol=1e-5, atol=1e-5, err_msg=node.op_type)

    def test_types_that_nodes_hold(self):
        """Cast, CastLike, ConstantOfShape and Range of the network's type, and QuantizeLinear of float16 scales."""
        for name in TYPES:
            code = TYPES[name][0]
            nodes = [helper.make_node('Cast', ['x'], ['wide'], 'widen', to=TensorProto.FLOAT),
                     helper.make_node('CastLike', ['wide', 'k'], ['narrow'], 'like'),
                     helper.make_node('Cast', ['narrow'], ['same'], 'same', to=code),
                     helper.make_node('Shape', ['x'], ['shape'], 'shape'),
                     helper.make_node('ConstantOfShape', ['shape'], ['twos'], 'twos', value=tensor(np.array([2.0]), 'v', name)),
                     helper.make_node('Add', ['same', 'twos'], ['more'], 'more'),
                     helper.make_node('Range', ['zero', 'three', 'one'], ['steps'], 'steps'),
                     helper.make_node('Add', ['more', 'steps'], ['y'], 'add')]
            weights = {'k': np.array(1.0), 'zero': np.array(0.0), 'three': np.array(3.0), 'one': np.array(1.0)}
            path = self.save(name, nodes, weights, [('x', [2, 3])], [('y', [2, 3])], opset=15)
            x = rounded(np.random.default_rng(4).normal(0, 1, (2, 3)), name)
            np.save(self.folder / 'x.npy', x.astype(np.float32))
            self.run_it('inspect', path)
            for dump in ([], ['--dump', self.folder / 'values']):
                self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy', *dump)
                np.testing.assert_allclose(np.load(self.folder / 'y.npy'), x + 2 + np.arange(3), rtol=1e-6, err_msg=name)

    def test_every_command(self):
        for name in TYPES:
            path, x, y = self.network(name)
            data = self.folder / 'data.npz'
            np.savez(data, x=x.astype(np.float32), y=np.arange(16) % 4)
            np.savez(self.folder / 'data64.npz', x=x)
            reference = self.folder / 'reference.npy'
            np.save(reference, y.astype(np.float32))
            out = self.folder / f'{name}.int8.onnx'
            for file in (path, reference):
                row = json.loads(self.run_it('evaluate', path, '--data', data, '--reference', file, '--json').stdout)[0]
                self.assertGreater(row['outputs'][0]['cosine'], 0.999999)
            self.assertEqual(json.loads(self.run_it('inspect', path, '--json').stdout)['parameter_bytes'], (216 + 8 + 1 + 32) * (8 if name == 'double' else 2))
            self.run_it('inspect', path, '--check')
            self.run_it('run', path, '--data', data, '--index', 3)
            self.run_it('calibrate', path, '--data', self.folder / 'data64.npz', '-o', self.folder / 'c.json')
            self.run_it('quantize', path, '--ranges', self.folder / 'c.json', '-o', out)
            again = self.folder / 'again.onnx'
            self.run_it('quantize', path, '--data', data, '-o', again)
            self.assertEqual(out.read_bytes(), again.read_bytes())
            self.run_it('verify', out, '--data', data)
            self.run_it('analyze', path, out, '--data', data)
            row = json.loads(self.run_it('evaluate', out, '--data', data, '--reference', path, '--json').stdout)
            self.assertGreater(min(r['outputs'][0]['cosine'] for r in row), 0.99)
            self.run_it('export', path, '--npz', self.folder / 'float.npz')
            self.run_it('export', out, '--npz', self.folder / 'integers.npz')

    def test_sweep_and_search(self):
        random = np.random.default_rng(5)
        weights = {'w': rounded(random.normal(0, .5, (4, 12)), 'float16'), 'b': rounded(random.normal(0, .5, 4), 'float16')}
        path = self.save('float16', [helper.make_node('Gemm', ['x', 'w', 'b'], ['y'], 'fc', transB=1)], weights, [('x', ['N', 12])], [('y', ['N', 4])])
        x = rounded(random.normal(0, 1, (64, 12)), 'float16')
        np.savez(self.folder / 'data.npz', x=x.astype(np.float16), y=(x @ weights['w'].T + weights['b']).argmax(1))
        self.run_it('sweep', path, '--data', self.folder / 'data.npz', '--bits', 'w4a8,w8a8', '-o', self.folder / 's.csv')
        self.run_it('search', path, '--data', self.folder / 'data.npz', '--max-drop', '5', '--harm-samples', 16, '--samples', 16, '--calibration-samples', 16, '-o', self.folder / 'best.onnx')
        self.run_it('verify', self.folder / 'best.onnx', '--data', self.folder / 'data.npz')

    def test_float16_between_casts(self):
        """Networks of float16 whose input and output stayed float32 become integers throughout."""
        random = np.random.default_rng(8)
        weights = {'w': rounded(random.normal(0, .3, (3, 3, 3, 3)), 'float16')}
        nodes = [helper.make_node('Cast', ['x'], ['xh'], 'in', to=TensorProto.FLOAT16), helper.make_node('Conv', ['xh', 'w'], ['c'], 'conv', pads=[1] * 4),
                 helper.make_node('Relu', ['c'], ['r'], 'relu'), helper.make_node('Cast', ['r'], ['y'], 'out', to=TensorProto.FLOAT)]
        path = self.save('float16', nodes, weights, [('x', ['N', 3, 4, 4])], [('y', ['N', 3, 4, 4])])
        model = onnx.load(str(path))
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.elem_type = TensorProto.FLOAT
        onnx.save(model, str(path))
        np.save(self.folder / 'x.npy', random.normal(0, 1, (16, 3, 4, 4)).astype(np.float32))
        out = json.loads(self.run_it('quantize', path, '--data', self.folder / 'x.npy', '-o', self.folder / 'q.onnx', '--json').stdout)
        self.assertEqual(out['float_nodes'], [])
        self.assertEqual([o.name for o in onnx.load(str(self.folder / 'q.onnx')).graph.output], ['y'])
        self.run_it('verify', self.folder / 'q.onnx', '--data', self.folder / 'x.npy')

    def test_pairs_of_float16_are_integers(self):
        """QuantizeLinear and DequantizeLinear whose reals and scales are float16."""
        random = np.random.default_rng(6)
        half = lambda v: np.asarray(v, np.float16)
        q_w = random.integers(-127, 128, (4, 6)).astype(np.int8)
        initializers = {'w': q_w, 'ws': half(random.uniform(.01, .02, 4)), 'wz': np.zeros(4, np.int8), 'xs': half(2 ** -5), 'xz': np.array(3, np.int8),
                        'ys': half(.125), 'yz': np.array(-10, np.int8)}
        nodes = [helper.make_node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']), helper.make_node('DequantizeLinear', ['xq', 'xs', 'xz'], ['xd']),
                 helper.make_node('DequantizeLinear', ['w', 'ws', 'wz'], ['wd'], axis=0),
                 helper.make_node('Gemm', ['xd', 'wd'], ['h'], 'fc', transB=1),
                 helper.make_node('QuantizeLinear', ['h', 'ys', 'yz'], ['yq']), helper.make_node('DequantizeLinear', ['yq', 'ys', 'yz'], ['y'])]
        info = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT16, s)
        graph = helper.make_graph(nodes, 'g', [info('x', ['N', 6])], [info('y', ['N', 4])], [numpy_helper.from_array(v, k) for k, v in initializers.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 19)])
        model.ir_version = 9
        path = self.folder / 'pairs.onnx'
        onnx.save(model, str(path))
        x = half(random.normal(0, 1, (8, 6)))
        np.save(self.folder / 'x.npy', x)
        self.run_it('verify', path, '--data', self.folder / 'x.npy')
        self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
        f = np.float32
        q_x = np.clip(np.rint(x.astype(f) / f(2 ** -5)) + 3, -128, 127).astype(np.int64) - 3
        scale = initializers['ws'].astype(np.float64) * 2.0 ** -5 / .125
        q_y = np.clip(np.rint((q_x @ q_w.T.astype(np.int64)) * scale) - 10, -128, 127)
        out = np.load(self.folder / 'y.npy') / .125 - 10
        self.assertLessEqual(np.abs(out - q_y).max(), 1)
        self.assertGreater((out == q_y).mean(), 0.9)

    def test_numbers_that_float32_does_not_hold_are_refused(self):
        node = helper.make_node('MatMul', ['x', 'w'], ['y'], 'matmul')
        w = np.ones((3, 2))
        w[1, 1] = 1e300
        path = self.save('double', [node], {'w': w}, [('x', ['N', 3])], [('y', ['N', 2])])
        np.save(self.folder / 'x.npy', np.ones((2, 3)))
        self.expect_error('run', path, '--input', self.folder / 'x.npy', code=BAD, says="constant 'w'")
        path = self.save('double', [node], {'w': np.ones((3, 2))}, [('x', ['N', 3])], [('y', ['N', 2])])
        np.save(self.folder / 'x.npy', np.full((2, 3), -1e39))
        self.expect_error('run', path, '--input', self.folder / 'x.npy', code=BAD, says="input 'x'")
        np.savez(self.folder / 'x.npz', x=np.full((2, 3), -1e39), y=np.zeros(2, np.int64))
        self.expect_error('evaluate', path, '--data', self.folder / 'x.npz', code=BAD, says="input 'x'")

    def test_the_lowest_double_is_a_mask_as_the_lowest_float32(self):
        mask = np.zeros((1, 3))
        mask[0, 2] = np.finfo(np.float64).min
        nodes = [helper.make_node('Add', ['x', 'mask'], ['masked'], 'mask'), helper.make_node('Softmax', ['masked'], ['y'], 'softmax')]
        path = self.save('double', nodes, {'mask': mask}, [('x', ['N', 3])], [('y', ['N', 3])])
        np.save(self.folder / 'x.npy', np.ones((2, 3)))
        self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
        np.testing.assert_allclose(np.load(self.folder / 'y.npy'), [[.5, .5, 0]] * 2, rtol=1e-6)


if __name__ == '__main__':
    unittest.main()
