"""Inputs and outputs keep their names in every file that is written, whatever names a tool would invent."""
import pathlib
import random
import sys
import unittest

import numpy as np
import onnx
from onnx import helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest, save

ENDINGS = ['_quantized', '_dequantized', '_scale', '_zero_point', '_real', '_bias', '_min', '_shape', '_rank', '_zero', '_s', '_bits', '_1', '_bounded',
           '_unclipped', '_factor', '_rows', '_product']
FORMATS = {'qdq': [], 'qoperator': ['--bits', 'w8a8', '--symmetric'], 'qonnx': []}


class NamesTest(ProgramTest):
    def network(self, seed, second='n'):
        """Names of values, constants and outputs are those of others with the endings that are invented."""
        pick = random.Random(seed)
        numbers = np.random.default_rng(seed)
        used = {'x'}

        def name():
            chosen = None
            while chosen is None or chosen in used:
                chosen = pick.choice(sorted(used)) + ''.join(pick.choice(ENDINGS) for _ in range(pick.choice([1, 1, 2])))
            used.add(chosen)
            return chosen

        w, b, c1, r1, c2, out, flat, w3, y = (name() for _ in range(9))
        weights = {w: numbers.normal(0, .3, (3, 3, 3, 3)).astype('f4'), b: numbers.normal(0, .3, 3).astype('f4'), w3: numbers.normal(0, .3, (4, 48)).astype('f4')}
        nodes = [helper.make_node('Conv', ['x', w, b], [c1], 'n', pads=[1] * 4), helper.make_node('Relu', [c1], [r1], 'n_dequantized'),
                 helper.make_node('Conv', [r1, w, b], [c2], second, pads=[1] * 4), helper.make_node('Add', [c2, r1], [out], 'add'),
                 helper.make_node('Flatten', [out], [flat], 'flat'), helper.make_node('Gemm', [flat, w3], [y], 'fc', transB=1)]
        path = save(self.folder / f'{seed}.onnx', nodes, weights, [('x', ['N', 3, 4, 4])], [(y, ['N', 4]), (out, ['N', 3, 4, 4])])
        return path, [y, out]

    def data(self):
        x = np.random.default_rng(0).normal(0, 1, (32, 3, 4, 4)).astype('f4')
        np.savez(self.folder / 'data.npz', x=x)
        np.save(self.folder / 'x.npy', x)
        return self.folder / 'data.npz'

    def expect_names(self, path, outputs):
        graph = onnx.load(str(path)).graph
        self.assertEqual([v.name for v in graph.input], ['x'], path.name)
        self.assertEqual([v.name for v in graph.output], outputs, path.name)
        names = [n.name for n in graph.node]
        self.assertEqual(len(set(names)), len(names), path.name)
        values = [*(i.name for i in graph.initializer), *(v.name for v in graph.input), *(o for n in graph.node for o in n.output)]
        self.assertEqual(len(set(values)), len(values), path.name)

    def test_written_files_keep_names(self):
        data = self.data()
        for seed in range(12):
            path, outputs = self.network(seed)
            for form, options in FORMATS.items():
                written, real = self.folder / f'{seed}.{form}.onnx', self.folder / f'{seed}.{form}.float.onnx'
                self.run_it('quantize', path, '--data', data, '--format', form, *options, '-o', written, '--float-output', real)
                self.expect_names(written, outputs)
                self.expect_names(real, outputs)
                self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'real.npz')
                self.run_it('run', written, '--input', self.folder / 'x.npy', '--output', self.folder / 'q.npz')
                real_values, values = np.load(self.folder / 'real.npz'), np.load(self.folder / 'q.npz')
                for output in outputs:
                    error = np.abs(values[output] - real_values[output]).max() / np.abs(real_values[output]).max()
                    self.assertLess(error, 0.1, f'{written.name} {output}')

    def test_an_output_called_as_the_quantized_input(self):
        data = self.data()
        weights = {'W': np.random.default_rng(1).normal(0, .3, (3, 3, 3, 3)).astype('f4')}
        nodes = [helper.make_node('Conv', ['x', 'W'], ['W_scale'], 'c', pads=[1] * 4), helper.make_node('Relu', ['W_scale'], ['x_quantized'], 'r')]
        path = save(self.folder / 'clash.onnx', nodes, weights, [('x', ['N', 3, 4, 4])], [('x_quantized', ['N', 3, 4, 4])])
        for form, options in FORMATS.items():
            written = self.folder / f'{form}.onnx'
            self.run_it('quantize', path, '--data', data, '--format', form, *options, '-o', written)
            self.expect_names(written, ['x_quantized'])
        self.run_it('verify', self.folder / 'qdq.onnx', '--data', data)
        self.run_it('analyze', path, self.folder / 'qdq.onnx', '--data', data)
        self.run_it('quantize', path, '--data', data, '--bits', 'w8a8', '--dynamic', '-o', self.folder / 'dynamic.onnx')
        self.expect_names(self.folder / 'dynamic.onnx', ['x_quantized'])

    def test_inputs_keep_names(self):
        r = np.random.default_rng(5)
        np.savez(self.folder / 'two.npz', x=r.normal(0, 1, (16, 4)).astype('f4'), x_quantized=r.normal(0, 1, (16, 4)).astype('f4'))
        nodes = [helper.make_node('Add', ['x', 'x_quantized'], ['x_zero_point'], 'add'), helper.make_node('Gemm', ['x_zero_point', 'w'], ['x_scale'], 'fc', transB=1)]
        path = save(self.folder / 'two.onnx', nodes, {'w': r.normal(0, .5, (3, 4)).astype('f4')}, [('x', ['N', 4]), ('x_quantized', ['N', 4])], [('x_scale', ['N', 3])])
        for form, options in FORMATS.items():
            written = self.folder / f'two.{form}.onnx'
            self.run_it('quantize', path, '--data', self.folder / 'two.npz', '--format', form, *options, '-o', written)
            graph = onnx.load(str(written)).graph
            self.assertEqual([v.name for v in (*graph.input, *graph.output)], ['x', 'x_quantized', 'x_scale'])
            self.run_it('verify', written, '--data', self.folder / 'two.npz')

    def test_search_keeps_names(self):
        data = self.data()
        random_numbers = np.random.default_rng(2)
        x = random_numbers.normal(0, 1, (64, 3, 4, 4)).astype('f4')
        np.savez(self.folder / 'labelled.npz', x=x, y=np.arange(64) % 4)
        path, outputs = self.network(99, second='m')
        best = self.folder / 'best.onnx'
        self.run_it('search', path, '--data', self.folder / 'labelled.npz', '--max-drop', '90', '--harm-samples', 16, '--samples', 16,
                    '--calibration-samples', 16, '-o', best)
        self.expect_names(best, outputs)


if __name__ == '__main__':
    unittest.main()
