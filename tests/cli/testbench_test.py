#!/usr/bin/env python3
"""`export --testbench`: NumPy computes the sums and outputs of its files again, from the manifest and docs/arithmetic.md alone."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

from onnx import helper
from program import ProgramTest, save, save_mlp, save_residual

USAGE, BAD = 2, 3
MEMORY = '/dev/shm'  # each of many files is brought to the disk, where there is one


class Bench:
    """The folder as a hardware designer's script reads it."""
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.manifest = json.loads((self.folder / 'manifest.json').read_text())
        self.layers = {layer['name']: layer for layer in self.manifest['layers']}

    def read(self, entry):
        """The .npy, which the .mem agrees with, word for word."""
        array = np.load(self.folder / entry['npy'])
        assert list(array.shape) == entry['shape'], entry
        bits, signed = entry['bits'], entry['signed']
        lo, hi = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
        assert array.size == 0 or (array.min() >= lo and array.max() <= hi), entry
        comment, *words = (self.folder / entry['mem']).read_text().splitlines()
        assert comment.startswith('//') and f'{bits} bits' in comment
        assert all(len(word) == -(-bits // 4) for word in words)
        values = [int(word, 16) for word in words]
        assert values == [int(v) % 2 ** bits for v in array.ravel()], entry
        return array.astype(np.int64)

    def bytes_of(self, entry):
        comment, *words = (self.folder / entry['mem']).read_text().splitlines()
        assert comment.startswith('//')
        return np.array([int(word, 16) for word in words], np.uint8).reshape(entry['shape'])


def round_shift(x, k, mode):
    """round(x·2^-k) of integers of any size, as section 2 has it."""
    if k <= 0:
        return x << -k
    floor, rest, half = x >> k, x & ((1 << k) - 1), 1 << (k - 1)
    if mode == 'half_even':
        return floor + (rest > half or (rest == half and floor & 1))
    if mode == 'half_away':
        return floor + (rest > half or (rest == half and x >= 0))
    return floor + (rest >= half)


def requantize(acc, m, shift, layer):
    """Section 6, a factor for each sum."""
    lo, hi = layer['bounds']
    z = layer['output']['zero_point']
    flat = [min(max(round_shift(int(a) * int(f), int(k), layer['rounding']) + z, lo), hi)
            for a, f, k in zip(acc.ravel(), np.broadcast_to(m, acc.shape).ravel(), np.broadcast_to(shift, acc.shape).ravel())]
    return np.array(flat, np.int64).reshape(acc.shape)


def windows(x, layer, outside):
    """[N, C, OH, OW, kernel] of x [N, C, H, W], and whether each element lies inside."""
    rows, columns = layer['window']
    places = [np.arange(axis['out'])[:, None] * axis['stride'] - axis['pad_begin'] + np.arange(axis['kernel']) * axis['dilation'] for axis in (rows, columns)]
    inside = [(p >= 0) & (p < axis['in']) for p, axis in zip(places, (rows, columns))]
    r, c = (np.clip(p, 0, axis['in'] - 1) for p, axis in zip(places, (rows, columns)))
    taken = x[:, :, r[:, None, :, None], c[None, :, None, :]]
    known = inside[0][:, None, :, None] & inside[1][None, :, None, :]
    taken = np.where(known, taken, outside)
    return taken.reshape(*taken.shape[:4], -1), known.reshape(*known.shape[:2], -1)


def conv_sums(x, w, b, layer):
    """x without its zero point. A transposed one is over x with zeros between."""
    along, across = layer['spread']
    wide = np.zeros((*x.shape[:2], layer['window'][0]['in'], layer['window'][1]['in']), np.int64)
    wide[:, :, ::along, ::across] = x
    taken, _ = windows(wide, layer, 0)
    groups = layer['groups']
    taken = taken.reshape(len(x), groups, -1, *taken.shape[2:])  # [N, G, C/G, OH, OW, K]
    kernels = w.reshape(groups, len(w) // groups, taken.shape[2], -1)
    sums = np.einsum('ngchwk,gmck->ngmhw', taken, kernels)
    return sums.reshape(len(x), len(w), *sums.shape[3:]) + b.reshape(-1, 1, 1)


def moved(x, layer, shape):
    view = list(layer['view']) or list(x.shape)
    if -1 in view:
        view[view.index(-1)] = -(x.size // int(np.prod(view)))
    x = x.reshape(view)
    for axis in layer['axes']:
        if axis['at'] is not None:
            x = np.take(x, axis['at'], axis['source'])
    return (x.transpose([axis['source'] for axis in layer['axes']]) if layer['axes'] else x).reshape(shape)


class TestbenchTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / 'q.onnx'
        self.tb = self.folder / 'tb'

    def make(self, model, *arguments, samples=3, quantize=()):
        self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 20, '-o', self.file, *quantize)
        return self.export(*arguments, samples=samples)

    def export(self, *arguments, samples=3):
        self.run_it('export', self.file, '--testbench', self.tb, '--data', 'digits', '--samples', samples, *arguments)
        return Bench(self.tb)

    def refuses(self, *arguments, code, says):
        before = self.files()
        self.expect_error('export', *arguments, code=code, says=says)
        self.assertEqual(self.files(), before)

    def weights_of(self, bench, layer):
        """Weights without their zero points, which the packed rows hold too."""
        entry = layer['weight']
        w = bench.read(entry)
        packed = bench.bytes_of(layer['weight_packed'])
        places = bench.read(layer['weight_index']) if 'weight_index' in layer else w
        bits = next(b for b in (2, 4, 8, 16) if b >= (layer['weight_index'] if 'weight_index' in layer else entry)['bits'])
        if set(np.unique(w)) <= {-1, 1}:
            bits, places = 1, (w + 1) // 2
        every = np.unpackbits(packed, axis=1, bitorder='little')[:, :w[0].size * bits].reshape(len(w), w[0].size, bits).astype(np.int64)
        np.testing.assert_array_equal((every << np.arange(bits)).sum(2), places.reshape(len(w), -1) % 2 ** bits)
        if 'codebook' in layer:
            np.testing.assert_array_equal(bench.read(layer['codebook'])[places], w)
            return w
        zeros = np.array(entry['zero_points'])
        groups = -(-w[0].size // (-(-w[0].size // (len(zeros) // len(w))))) if len(zeros) > len(w) else 1
        self.assertIn(len(zeros), (1, len(w), len(w) * groups))
        return w - (zeros.reshape(-1, *[1] * (w.ndim - 1)) if len(zeros) == len(w) else zeros[0] if len(zeros) == 1 else 0)

    def check_layer(self, bench, layer):
        """Sums and outputs of a layer from its own inputs."""
        x = [bench.read(entry) for entry in layer['inputs'] if 'npy' in entry]
        centred = [a - entry['zero_point'] for a, entry in zip(x, layer['inputs'])]
        y, op = bench.read(layer['output']), layer['op']
        m = bench.read(layer['multiplier']) if 'multiplier' in layer else np.array([1])
        k = bench.read(layer['shift']) if 'shift' in layer else None
        by_channel = (-1, *[1] * (y.ndim - 2)) if op == 'Conv' else (-1,)
        if op in ('Gemm', 'Conv'):
            w, b = self.weights_of(bench, layer), bench.read(layer['bias'])
            self.assertEqual(layer['bias']['bits'], max(int(v).bit_length() if v >= 0 else int(~v).bit_length() for v in b) + 1)
            acc = centred[0] @ w.reshape(len(w), -1).T + b if op == 'Gemm' else conv_sums(centred[0], w, b, layer)
            m, k = m.reshape(by_channel), k.reshape(by_channel)
        elif op == 'AveragePool':
            taken, inside = windows(centred[0], layer, 0)
            acc = taken.sum(4)
            if 'count_index' in layer:
                index = bench.read(layer['count_index'])
                np.testing.assert_array_equal(np.array(layer['counts'])[index], inside.sum(2))
                m, k = m[index], k[index]
        elif op == 'Add':
            acc = m[0] * centred[0] + m[1] * centred[1]
            m = np.array(1)
        elif op == 'Mul':
            acc = centred[0] * centred[1]
        elif op == 'Requantize':
            acc = centred[0]
        else:
            self.assertNotIn('accumulator', layer)
            self.check_other(bench, layer, x, y)
            return
        np.testing.assert_array_equal(bench.read(layer['accumulator']), acc, layer['name'])
        self.assertLessEqual(np.abs(acc).max(), layer['accumulator']['bound'])
        np.testing.assert_array_equal(y, requantize(acc, m, k, layer), layer['name'])

    def check_other(self, bench, layer, x, y):
        op = layer['op']
        if op == 'Table':
            np.testing.assert_array_equal(y, bench.read(layer['table'])[0][x[0] - layer['first_input']])
        elif op == 'MaxPool':
            np.testing.assert_array_equal(y, windows(x[0], layer, -2 ** 31)[0].max(4))
        elif op == 'Move':
            np.testing.assert_array_equal(y, moved(x[0], layer, y.shape))
        elif op == 'Concat':
            np.testing.assert_array_equal(y, np.concatenate(x, layer['axis']))
        else:
            self.assertEqual(op, 'Quantize')

    def check_all(self, bench, ops):
        """Every layer, and what it takes is what the one before gives."""
        for layer in bench.manifest['layers']:
            if 'output' not in layer:
                continue
            self.check_layer(bench, layer)
            for entry in layer['inputs']:
                if 'npy' in entry:
                    np.testing.assert_array_equal(bench.read(entry), bench.read(bench.layers[entry['layer']]['output']))
        self.assertEqual({layer['op'] for layer in bench.manifest['layers']} - {'Quantize', 'Dequantize'}, ops)
        self.assertEqual(sorted(p.name for p in self.tb.iterdir()), bench.manifest['files'])

    def compile_header(self):
        for compiler in (('cc', '-std=c99', '-x', 'c'), ('c++', '-std=c++11', '-x', 'c++')):
            subprocess.run([*compiler, '-Wall', '-Werror', '-fsyntax-only', self.tb / 'testbench.h'], check=True)
        source = b'#include "testbench.h"\n#include "testbench.h"\nint main(void) { return HALFTONE_TESTBENCH_SAMPLES - 3; }\n'
        subprocess.run(['cc', '-std=c99', '-Wall', '-Werror', '-fsyntax-only', '-x', 'c', '-'], input=source, cwd=self.tb, check=True)


class Networks(TestbenchTest):
    def test_multilayer_perceptrons(self):
        model = save_mlp(self.folder / 'mlp.onnx', bias=0.3)
        for arguments in ((), ('--bits', 'w4a8'), ('--bits', 'w1a6', '--rounding', 'half_away'),
                          ('--bits', 'w3a8', '--codebook', 'kmeans', '--rounding', 'half_up'),
                          ('--asymmetric', '--mantissa', 16, '--bits', 'w12a12'), ('--arithmetic', 'shift', '--bits', 'wta4')):
            with self.subTest(arguments):
                bench = self.make(model, quantize=arguments)
                self.check_all(bench, {'Move', 'Gemm', 'Table'})
                self.assertEqual([(layer['name'], layer['node'], layer['node_op']) for layer in bench.manifest['layers'] if layer['op'] == 'Gemm'],
                                 [('fc1', 'fc1', 'Gemm'), ('fc2', 'fc2', 'Gemm')])
                self.assertEqual((bench.layers['fc1']['inputs'][0]['shape'], bench.layers['fc1']['weight']['shape']), ([3, 784], [16, 784]))
        self.compile_header()

    def test_values_are_those_of_a_run(self):
        bench = self.make(save_mlp(self.folder / 'mlp.onnx'), samples=1)
        self.assertIn('#define fc2_input tanh1_output\n', (self.tb / 'testbench.h').read_text())
        self.run_it('run', self.file, '--data', 'digits', '--index', 0, '--dump', self.folder / 'd')
        for name in ('fc1', 'fc2'):
            output = bench.layers[name]['output']
            np.testing.assert_array_equal(bench.read(output), np.load(self.folder / 'd' / (output['value'] + '.npy')))

    def test_a_convolutional_network_with_a_residual_sum(self):
        model = save_residual(self.folder / 'net.onnx')
        for arguments in ((), ('--arithmetic', 'shift', '--bits', 'w4a8')):
            with self.subTest(arguments):
                bench = self.make(model, quantize=arguments)
                self.check_all(bench, {'Conv', 'Add', 'Mul', 'MaxPool', 'AveragePool', 'Concat', 'Move', 'Gemm'})
                self.assertEqual(bench.layers['../up/conv3']['files'], '_.._up_conv3')
        self.compile_header()
        self.read_in_verilog(bench)

    def read_in_verilog(self, bench):
        if shutil.which('iverilog') is None:
            print('skipped: iverilog is missing')
            return
        entry = bench.layers['scores']['accumulator']
        values = bench.read(entry).ravel()
        source = self.folder / 'read.v'
        source.write_text(f'module read; reg signed [{entry["bits"] - 1}:0] words [0:{values.size - 1}]; integer i;\n'
                          f'initial begin $readmemh("{self.tb / entry["mem"]}", words);\n'
                          f'for (i = 0; i < {values.size}; i = i + 1) $display("%0d", words[i]); end\nendmodule\n')
        subprocess.run(['iverilog', '-o', self.folder / 'read', source], check=True)
        out = subprocess.run(['vvp', self.folder / 'read'], check=True, capture_output=True, text=True)
        self.assertEqual([int(line) for line in out.stdout.split()], values.tolist())

    def test_weights_by_group(self):
        bench = self.make(save_mlp(self.folder / 'mlp.onnx'), quantize=('--bits', 'w4a8', '--granularity', 'group=100'))
        layer = bench.layers['fc1']
        x = bench.read(layer['inputs'][0]) - layer['inputs'][0]['zero_point']
        w, m = bench.read(layer['weight']), bench.read(layer['multiplier']).reshape(16, 8)
        parts = np.stack([x[:, g * 100:(g + 1) * 100] @ w[:, g * 100:(g + 1) * 100].T for g in range(8)], 2)
        acc = (parts * m).sum(2) + bench.read(layer['bias'])
        np.testing.assert_array_equal(bench.read(layer['accumulator']), acc)
        np.testing.assert_array_equal(bench.read(layer['output']), requantize(acc, 1, bench.read(layer['shift']), layer))

    def test_arithmetic_onnx_has_float_multipliers(self):
        bench = self.make(save_residual(self.folder / 'net.onnx'), quantize=('--arithmetic', 'onnx', '--format', 'qoperator'))
        layer = bench.layers['conv1']
        M = bench.read(layer['multiplier']).astype(np.uint32).view(np.float32).reshape(-1, 1, 1)
        acc = bench.read(layer['accumulator'])
        y = np.clip(np.rint(acc.astype(np.float32) * M) + layer['output']['zero_point'], *layer['bounds'])
        np.testing.assert_array_equal(bench.read(layer['output']), y)
        self.assertNotIn('shift', layer)
        self.assertNotIn('accumulator', bench.layers['sum'])
        self.assertEqual((layer['node'], layer['node_op']), ('conv1', 'QLinearConv'))

    def test_a_layer_in_float_is_named_without_arrays(self):
        bench = self.make(save_mlp(self.folder / 'mlp.onnx'), quantize=('--only', 'fc2'))
        floats = [node['name'] for layer in bench.manifest['layers'] if layer['op'] == 'Island' for node in layer['float']]
        self.assertEqual(floats, ['flatten', 'fc1', 'tanh1'])
        self.assertNotIn('fc1.weight.npy', bench.manifest['files'])
        self.check_all(bench, {'Island', 'Gemm'})

    def test_a_fixed_batch_is_cut_to_the_samples(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        self.run_it('quantize', model, '--shape', 'input=4x1x28x28', '--data', 'digits', '--calibration-samples', 20, '-o', self.file)
        fixed = self.export(samples=6)
        self.check_all(fixed, {'Move', 'Gemm', 'Table'})
        self.assertEqual(fixed.layers['fc1']['output']['shape'], [6, 16])


class Refusals(TestbenchTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.run_it('quantize', self.model, '--data', 'digits', '--calibration-samples', 20, '-o', self.file)

    def test_command_lines_without_sense(self):
        to, on, many = ('--testbench', self.tb), ('--data', 'digits'), self.folder / 'many.int8.onnx'
        wide = save(self.folder / 'many.onnx', [helper.make_node('Conv', ['input', 'w'], ['output'], 'conv')],
                    {'w': np.ones((100, 1, 3, 3), np.float32)}, outputs=(('output', ['N', 100, 26, 26]),))
        self.run_it('quantize', wide, '--data', 'digits', '--calibration-samples', 5, '-o', many)
        for arguments, says in (((self.file,), 'neither --npz nor --testbench'), ((self.file, *to, *on, '--npz', self.folder / 'w.npz'), 'both'),
                                ((self.file, *to), 'without --data'), ((self.file, '--npz', self.folder / 'w.npz', *on), '--testbench'),
                                ((self.file, '--npz', self.folder / 'w.npz', '--samples', 3), '--samples requires --testbench'),
                                ((self.file, *to, *on, '--packed'), 'excludes'),
                                ((self.file, *to, *on, '--samples', 0), '--samples'), ((self.file, *to, *on, '--samples', -1), '--samples'),
                                ((self.file, '--testbench', self.model, *on), 'is a file'),
                                ((many, *to, *on, '--samples', 3000), 'GB at most, as 2')):
            self.refuses(*arguments, code=USAGE, says=says)
        self.refuses(self.model, *to, *on, code=BAD, says='halftone quantize makes them')
        self.refuses(self.file, *to, '--data', self.folder / 'none', code=BAD, says='none')
        self.refuses(self.file, '--testbench', self.model / 'tb', *on, code=BAD, says='cannot make folder')

    def test_folders_of_others_are_left_alone(self):
        self.tb.mkdir()
        self.export()
        (self.tb / 'notes.txt').write_text('mine')
        (self.tb / 'old.mem').write_text('mine')
        manifest = json.loads((self.tb / 'manifest.json').read_text())
        files = set(manifest['files'])
        (self.folder / 'outside').write_text('mine')
        (self.tb / 'manifest.json').write_text(json.dumps(manifest | {'files': [*files, 'old.mem', '../outside', '..', '/tmp', '']}))
        self.export(samples=1)
        self.assertEqual({p.name for p in self.tb.iterdir()}, files | {'notes.txt'})
        self.assertTrue((self.folder / 'outside').exists())
        (self.tb / 'manifest.json').unlink()
        self.refuses(self.file, '--testbench', self.tb, '--data', 'digits', code=USAGE, says='holds other files')

    def test_what_fails_leaves_no_folder(self):
        deep = self.folder / 'a' / 'b' / 'tb'
        self.refuses(self.folder / 'none.onnx', '--testbench', deep, '--data', 'digits', code=BAD, says='none.onnx')
        self.run_it('export', self.file, '--testbench', deep, '--data', 'digits')
        before = {p.name: p.read_bytes() for p in deep.iterdir()}
        self.refuses(self.folder / 'none.onnx', '--testbench', deep, '--data', 'digits', code=BAD, says='none.onnx')
        self.assertEqual({p.name: p.read_bytes() for p in deep.iterdir()}, before)

    def test_the_summary(self):
        out = json.loads(self.run_it('export', self.file, '--testbench', self.tb, '--data', 'digits', '--json').stdout)
        self.assertEqual((out['samples'], out['files']), (1, len(list(self.tb.iterdir()))))
        text = self.run_it('export', self.file, '--testbench', self.tb, '--data', 'digits').stdout
        self.assertIn('fc1.*', text)
        self.assertIn('1 sample,', text)


if __name__ == '__main__':
    tempfile.tempdir = MEMORY if pathlib.Path(MEMORY).is_dir() else None
    unittest.main()
