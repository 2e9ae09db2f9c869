"""A NaN is refused by name wherever it comes up: in samples, inside the network, in weights."""
import pathlib
import sys
import unittest

import numpy as np
from onnx import helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest, save

BAD = 3


class NotANumberTest(ProgramTest):
    def network(self, middle, weights=None, name='net.onnx', shape=('N', 2, 4, 4)):
        """x, the nodes of `middle` from 'x' to 'm', Flatten and Gemm."""
        random = np.random.default_rng(1)
        size = 32
        all_weights = {'fc': random.normal(0, .3, (3, size)).astype('f4'), **(weights or {})}
        nodes = [*middle, helper.make_node('Flatten', ['m'], ['flat'], 'flatten'), helper.make_node('Gemm', ['flat', 'fc'], ['y'], 'fc', transB=1)]
        return save(self.folder / name, nodes, all_weights, [('x', list(shape))], [('y', ['N', 3])])

    def samples(self, x, name='data.npz'):
        np.savez(self.folder / name, x=x.astype('f4'), y=np.arange(len(x)) % 3)
        np.save(self.folder / 'x.npy', x.astype('f4'))
        return self.folder / name

    def random(self, rows=8):
        return np.random.default_rng(2).normal(0, 1, (rows, 2, 4, 4))

    MIDDLES = {'Relu': [helper.make_node('Relu', ['x'], ['m'], 'middle')],
               'Clip': [helper.make_node('Clip', ['x', 'lo', 'hi'], ['m'], 'middle')],
               'MaxPool': [helper.make_node('MaxPool', ['x'], ['m'], 'middle', kernel_shape=[3, 3], pads=[1] * 4)],
               'Sigmoid': [helper.make_node('Sigmoid', ['x'], ['m'], 'middle')],
               'Conv': [helper.make_node('Conv', ['x', 'w'], ['c'], 'conv', pads=[1] * 4), helper.make_node('Relu', ['c'], ['m'], 'middle')]}
    WEIGHTS = {'lo': np.float32(0), 'hi': np.float32(6), 'w': np.random.default_rng(3).normal(0, .3, (2, 2, 3, 3)).astype('f4')}

    def middle(self, name):
        used = {i for node in self.MIDDLES[name] for i in node.input}
        return self.network(self.MIDDLES[name], {k: v for k, v in self.WEIGHTS.items() if k in used}, f'{name}.onnx')

    def test_samples_that_are_no_numbers(self):
        x = self.random(100)
        good = self.samples(x, 'good.npz')
        x[77, 1, 2, 3] = np.nan
        data = self.samples(x)
        for name in self.MIDDLES:
            path = self.middle(name)
            says = "input 'x', element 27 of row 77"
            for arguments in (['evaluate', path, '--data', data], ['evaluate', path, '--data', data, '--reference', path],
                              ['calibrate', path, '--data', data, '-o', self.folder / 'c.json'],
                              ['quantize', path, '--data', data, '-o', self.folder / 'q.onnx'],
                              ['sweep', path, '--data', data, '--word-length', 8, '-o', self.folder / 's.csv'],
                              ['run', path, '--input', self.folder / 'x.npy']):
                self.expect_error(*arguments, code=BAD, says=says)
            self.assertFalse((self.folder / 'q.onnx').exists())
            self.expect_error('run', path, '--data', data, '--index', 77, code=BAD, says='not a number')
            self.run_it('run', path, '--data', data, '--index', 76)
            quantized = self.folder / f'{name}.int8.onnx'
            self.run_it('quantize', path, '--data', good, '-o', quantized)
            for arguments in (['evaluate', quantized, '--data', data], ['verify', quantized, '--data', data]):
                self.expect_error(*arguments, code=BAD, says=says)
            self.expect_error('analyze', path, quantized, '--data', data, code=BAD, says='not a number (NaN)')

    def test_the_row_is_that_of_the_data_set(self):
        x = self.random(100)
        x[50, 1, 2, 3] = np.nan
        data, path = self.samples(x), self.middle('Relu')
        for count in (2, 4, 10, 50):
            self.expect_error('calibrate', path, '--data', data, '--calibration-samples', count, '-o', self.folder / 'c.json', code=BAD,
                              says="input 'x', element 27 of row 50,")

    def test_nan_that_comes_up_inside(self):
        """0/0, infinity minus infinity, the root and logarithm of negative numbers, before what would hide it."""
        random = np.random.default_rng(4)
        makers = {'Div': ([helper.make_node('Div', ['x', 'x'], ['d'], 'maker')], {}, lambda x: x.__setitem__((5, 1, 1, 1), 0)),
                  'Sqrt': ([helper.make_node('Sqrt', ['x'], ['d'], 'maker')], {}, lambda x: x.__setitem__((5, 1, 1, 1), -1)),
                  'Log': ([helper.make_node('Log', ['x'], ['d'], 'maker')], {}, lambda x: x.__setitem__((5, 1, 1, 1), -1)),
                  'Pow': ([helper.make_node('Pow', ['x', 'half'], ['d'], 'maker')], {'half': np.float32(.5)}, lambda x: x.__setitem__((5, 1, 1, 1), -1)),
                  'Exp': ([helper.make_node('Exp', ['x'], ['e'], 'exp'), helper.make_node('Sub', ['e', 'e'], ['d'], 'maker')], {}, lambda x: x.__setitem__((5, 1, 1, 1), 100)),
                  'Conv': ([helper.make_node('Mul', ['x', 'large'], ['i'], 'large'), helper.make_node('Conv', ['i', 'w'], ['d'], 'maker')],
                           {'large': np.float32(1e20), 'w': np.array([[0, 1], [1, 1]], 'f4').reshape(2, 2, 1, 1)}, lambda x: x.__setitem__((5, 0, 1, 1), 1e30))}
        hiders = {'Relu': [helper.make_node('Relu', ['d'], ['m'], 'hider')],
                  'MaxPool': [helper.make_node('MaxPool', ['d'], ['m'], 'hider', kernel_shape=[3, 3], pads=[1] * 4)],
                  'HardSigmoid': [helper.make_node('HardSigmoid', ['d'], ['m'], 'hider')]}
        for maker, (nodes, weights, spoil) in makers.items():
            for hider, behind in hiders.items():
                path = self.network([*nodes, *behind], weights, f'{maker}{hider}.onnx')
                x = random.uniform(.5, 2, (9, 2, 4, 4))
                data = self.samples(x, 'good.npz')
                self.run_it('evaluate', path, '--data', data)
                spoil(x)
                data = self.samples(x)
                for arguments in (['evaluate', path, '--data', data], ['run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy']):
                    message = self.expect_error(*arguments, code=BAD, says='not a number')
                    self.assertIn("'d'", message)
                    self.assertIn('row 5', message)
                many = self.samples(np.concatenate([np.ones((200, 2, 4, 4)), x]), 'many.npz')
                self.expect_error('evaluate', path, '--data', many, code=BAD, says='row 205')
                self.samples(x)
                self.expect_error('run', path, '--input', self.folder / 'x.npy', '--dump', self.folder / 'v', code=BAD, says='not a number')
                self.assertFalse((self.folder / 'y.npy').exists())
                self.expect_error('calibrate', path, '--data', data, '-o', self.folder / 'c.json', code=BAD)

    def test_infinity_that_is_no_nan_is_computed_with(self):
        """Masks, bounds and sums that are infinite, as ONNX has them."""
        mask = np.zeros((1, 2, 4, 4), 'f4')
        mask[0, 0, 0, 0] = -np.inf
        middle = [helper.make_node('Add', ['x', 'mask'], ['masked'], 'mask'), helper.make_node('Softmax', ['masked'], ['s'], 'softmax'),
                  helper.make_node('Clip', ['s', 'lo', 'hi'], ['m'], 'clip')]
        path = self.network(middle, {'mask': mask, 'lo': np.float32(-np.inf), 'hi': np.float32(np.inf)})
        x = self.random()
        self.run_it('evaluate', path, '--data', self.samples(x))
        self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
        self.assertTrue(np.isfinite(np.load(self.folder / 'y.npy')).all())

    def test_weights_that_are_not_finite_are_named(self):
        data = self.samples(self.random())
        w = self.WEIGHTS['w'].copy()
        w[1, 0, 2, 2] = np.inf
        conv = [helper.make_node('Conv', ['x', 'w'], ['m'], 'conv', pads=[1] * 4)]
        turned = [helper.make_node('Transpose', ['w'], ['t'], 'turn', perm=[0, 1, 3, 2]), helper.make_node('Conv', ['x', 't'], ['m'], 'conv', pads=[1] * 4)]
        biased = [helper.make_node('Conv', ['x', 'good', 'b'], ['m'], 'conv', pads=[1] * 4)]
        norm = [helper.make_node('BatchNormalization', ['x', 'b', 'zero', 'zero', 'one'], ['m'], 'norm')]
        b = np.array([1, -np.inf], 'f4')
        for nodes, weights, says in ((conv, {'w': w}, "[weights 'w'] element 26"), (turned, {'w': w}, "element 26, read by Conv 'conv'"),
                                     (biased, {'good': self.WEIGHTS['w'], 'b': b}, "[weights 'b'] element 1"),
                                     (norm, {'b': b, 'zero': np.zeros(2, 'f4'), 'one': np.ones(2, 'f4')}, "[weights 'b'] element 1")):
            path = self.network(nodes, weights)
            for arguments in (['quantize', path, '--data', data, '-o', self.folder / 'q.onnx'], ['calibrate', path, '--data', data, '-o', self.folder / 'c.json'],
                              ['evaluate', path, '--data', data], ['run', path, '--input', self.folder / 'x.npy']):
                self.expect_error(*arguments, code=BAD, says=says)


if __name__ == '__main__':
    unittest.main()
