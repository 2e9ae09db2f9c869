#!/usr/bin/env python3
"""Models of several inputs and outputs, of any rank and element type, in every command; reference outputs."""
import json
import struct
import unittest
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from program import ProgramTest, save_mlp

USAGE, BAD = 2, 3
FLOAT, INT64, INT32, BOOL, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.UINT8


def save_typed(path, nodes, weights, inputs, outputs, opset=13):
    graph = helper.make_graph(nodes, 'test', [helper.make_tensor_value_info(*i) for i in inputs], [helper.make_tensor_value_info(*o) for o in outputs],
                              [numpy_helper.from_array(a, n) for n, a in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


class SeveralInputs(ProgramTest):
    """Two linear layers on two inputs, whose sum and whose first part are outputs."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.weights = {'wa': random.normal(0, 0.5, (6, 4)).astype(np.float32), 'wb': random.normal(0, 0.5, (3, 4)).astype(np.float32)}
        nodes = [helper.make_node('MatMul', ['a', 'wa'], ['part'], 'left'), helper.make_node('MatMul', ['b', 'wb'], ['right'], 'right'),
                 helper.make_node('Add', ['part', 'right'], ['sum'], 'add')]
        self.model = save_typed(self.folder / 'two.onnx', nodes, self.weights, [('a', FLOAT, ['N', 6]), ('b', FLOAT, ['N', 3])],
                                [('sum', FLOAT, ['N', 4]), ('part', FLOAT, ['N', 4])])
        self.a = random.normal(0, 1, (50, 6)).astype(np.float32)
        self.b = random.normal(0, 1, (50, 3)).astype(np.float32)
        self.part = self.a @ self.weights['wa']
        self.sum = self.part + self.b @ self.weights['wb']
        np.save(self.folder / 'a.npy', self.a)
        np.save(self.folder / 'b.npy', self.b)
        self.data = self.folder / 'data.npz'
        np.savez(self.data, a=self.a, b=self.b, y=self.sum.argmax(1))

    def path(self, name):
        return self.folder / name

    def test_run_by_name(self):
        self.run_it('run', self.model, '--input', self.path('a.npy'), '--input', f'b={self.path("b.npy")}',
                    '--output', self.path('s.npy'), '--output', f'part={self.path("p.npy")}', '--output', self.path('all.npz'))
        np.testing.assert_allclose(np.load(self.path('s.npy')), self.sum, atol=1e-5)
        np.testing.assert_allclose(np.load(self.path('p.npy')), self.part, atol=1e-5)
        everything = np.load(self.path('all.npz'))
        self.assertEqual(sorted(everything), ['part', 'sum'])
        np.testing.assert_array_equal(everything['part'], np.load(self.path('p.npy')))
        np.savez(self.path('in.npz'), a=self.a, b=self.b)
        out = json.loads(self.run_it('run', self.model, '--input', self.path('in.npz'), '--json').stdout)
        self.assertEqual([(o['name'], o['shape']) for o in out['outputs']], [('sum', [50, 4]), ('part', [50, 4])])

    def test_run_names_what_is_missing_or_unknown(self):
        a, b = self.path('a.npy'), self.path('b.npy')
        self.expect_error('run', self.model, '--input', a, code=USAGE, says="nothing for 'b', expected an array for each of: a, b")
        self.expect_error('run', self.model, '--input', a, '--input', f'mask={b}', code=USAGE, says='with one of: a, b')
        self.expect_error('run', self.model, '--input', a, '--input', f'a={a}', code=USAGE, says="'a' given twice")
        self.expect_error('run', self.model, '--input', self.data, code=USAGE, says="no input 'y'")
        self.expect_error('run', self.model, '--input', a, '--input', f'b={b}', '--output', 'none=y.npy', code=USAGE, says='with one of: sum, part')
        self.expect_error('run', self.model, '--input', a, '--input', 'b=', code=USAGE)

    def test_quantize_evaluate_verify_from_arrays_by_name(self):
        quantized = self.path('two.int8.onnx')
        out = json.loads(self.run_it('quantize', self.model, '--data', self.data, '-o', quantized, '--json').stdout)
        self.assertEqual((out['calibration_samples'], out['float_nodes']), (50, []))
        rows = json.loads(self.run_it('evaluate', self.model, quantized, '--data', self.data, '--json').stdout)
        self.assertEqual(rows[0]['accuracy'], 100)
        self.assertGreater(rows[2]['accuracy'], 80)
        part = json.loads(self.run_it('evaluate', self.model, '--data', self.data, '--output', 'part', '--json').stdout)
        self.assertLess(part[0]['accuracy'], 100)
        out = json.loads(self.run_it('verify', quantized, '--data', self.data, '--json').stdout)
        self.assertEqual(out['unexplained'], 0)
        self.assertEqual([(o['name'], o['compared']) for o in out['outputs']], [('sum', 200), ('part', 200)])
        self.assertEqual(json.loads(self.run_it('run', quantized, '--data', self.data, '--index', 3, '--json').stdout)['label'], self.sum[3].argmax())

    def test_arrays_that_do_not_fit(self):
        output = self.path('q.onnx')

        def refused(says, **arrays):
            np.savez(self.path('bad.npz'), **arrays)
            self.expect_error('quantize', self.model, '--data', self.path('bad.npz'), '-o', output, code=BAD, says=says)
            self.assertFalse(output.exists())
        refused("no array 'b'", a=self.a, y=np.zeros(50, np.int64))
        refused("no array 'a'", x=self.a)
        refused('40 rows, expected 50', a=self.a, b=self.b[:40])
        refused("[input 'b'] array of shape 50x4", a=self.a, b=np.zeros((50, 4), np.float32))
        refused("sample", a=self.a[:0], b=self.b[:0])
        self.expect_error('quantize', self.model, '--data', 'digits', '-o', output, code=BAD, says='an array for each input: a, b')
        np.savez(self.path('bad.npz'), a=self.a, b=self.b, y=np.zeros(49, np.int64))
        self.expect_error('evaluate', self.model, '--data', self.path('bad.npz'), code=BAD, says='number of labels, got 49, expected 50')

    def test_reference_outputs(self):
        quantized = self.path('two.int8.onnx')
        self.run_it('quantize', self.model, '--data', self.data, '-o', quantized)
        np.savez(self.path('r.npz'), sum=self.sum, part=self.part)

        def errors(reference, *more):
            rows = json.loads(self.run_it('evaluate', self.model, quantized, '--data', self.data, '--reference', reference, '--json', *more).stdout)
            self.assertEqual([row['mode'] for row in rows], ['float', 'simulated', 'integer'])
            return rows
        rows = errors(self.path('r.npz'))
        self.assertEqual([o['name'] for o in rows[0]['outputs']], ['sum', 'part'])
        self.assertNotIn('accuracy', rows[0])
        for output in rows[0]['outputs']:
            self.assertGreater(output['cosine'], 0.999999)
            self.assertLess(output['relative_rms_error'], 1e-6)
        integers = rows[2]['outputs'][0]
        self.run_it('run', quantized, '--input', self.path('a.npy'), '--input', f'b={self.path("b.npy")}', '--output', self.path('q.npy'))
        y, r = np.load(self.path('q.npy')).astype(np.float64), self.sum.astype(np.float64)
        self.assertAlmostEqual(integers['cosine'], (y * r).sum() / np.linalg.norm(y) / np.linalg.norm(r), places=12)
        self.assertAlmostEqual(integers['max_absolute_error'], abs(y - r).max(), places=12)
        self.assertAlmostEqual(integers['relative_rms_error'], np.linalg.norm(y - r) / np.linalg.norm(r), places=12)
        self.assertAlmostEqual(errors(self.model)[2]['outputs'][0]['cosine'], integers['cosine'], places=6)
        self.assertEqual([o['name'] for o in errors(self.model, '--output', 'part')[1]['outputs']], ['part'])
        np.save(self.path('r.npy'), self.part)
        self.assertLess(errors(self.path('r.npy'), '--output', 'part')[0]['outputs'][0]['relative_rms_error'], 1e-6)
        self.assertEqual(errors(self.path('r.npz'), '--samples', 10)[0]['samples'], 10)
        self.assertLess(errors(self.path('r.npz'), '--samples', 10)[0]['outputs'][0]['relative_rms_error'], 1e-6)
        self.assertIn('relative RMS error', self.run_it('evaluate', quantized, '--data', self.data, '--reference', self.model).stdout)

    def test_reference_that_does_not_fit(self):
        evaluate = ('evaluate', self.model, '--data', self.data, '--reference')
        np.savez(self.path('r.npz'), other=self.sum)
        self.expect_error(*evaluate, self.path('r.npz'), code=BAD, says='expected one for: sum, part')
        np.savez(self.path('r.npz'), sum=self.sum[:20])
        self.expect_error(*evaluate, self.path('r.npz'), code=BAD, says='a row for each of 50 samples')
        np.savez(self.path('r.npz'), sum=self.sum[:, :3])
        self.expect_error(*evaluate, self.path('r.npz'), code=BAD, says="output 'sum'")
        self.expect_error(*evaluate, self.path('none.onnx'), code=BAD)
        self.expect_error(*evaluate, self.model, '--output', 'none', code=USAGE, says='expected one of: sum, part')

    def test_without_labels_and_reference_it_says_so(self):
        np.savez(self.path('x.npz'), a=self.a, b=self.b)
        self.expect_error('evaluate', self.model, '--data', self.path('x.npz'), code=BAD, says='has no labels')


class AnyType(ProgramTest):
    def run_one(self, model, **inputs):
        np.savez(self.folder / 'in.npz', **inputs)
        self.run_it('run', model, '--input', self.folder / 'in.npz', '--output', self.folder / 'out.npz')
        return np.load(self.folder / 'out.npz')

    def test_integer_and_bool_inputs(self):
        nodes = [helper.make_node('Gather', ['table', 'ids'], ['e'], 'embed'), helper.make_node('Where', ['mask', 'e', 'zero'], ['y'], 'mask')]
        table = np.arange(12, dtype=np.float32).reshape(6, 2)
        model = save_typed(self.folder / 'm.onnx', nodes, {'table': table, 'zero': np.zeros(1, np.float32)},
                           [('ids', INT64, ['N', 3]), ('mask', BOOL, ['N', 3, 1])], [('y', FLOAT, ['N', 3, 2])])
        ids, mask = np.array([[0, 1, 5], [2, 2, 3]]), np.array([[[True], [False], [True]]] * 2)
        expected = np.where(mask, table[ids], 0)
        for dtype in (np.int64, np.int32, np.uint8, np.float64):
            np.testing.assert_array_equal(self.run_one(model, ids=ids.astype(dtype), mask=mask)['y'], expected)
        np.testing.assert_array_equal(self.run_one(model, ids=ids, mask=mask.astype(np.int32))['y'], expected)
        np.savez(self.folder / 'in.npz', ids=ids + 0.5, mask=mask)
        self.expect_error('run', model, '--input', self.folder / 'in.npz', code=BAD, says="[input 'ids'] element 0, got 0.5")

    def test_integer_and_bool_outputs(self):
        nodes = [helper.make_node('ArgMax', ['x'], ['best'], 'best', axis=1), helper.make_node('Greater', ['x', 'zero'], ['above'], 'above')]
        model = save_typed(self.folder / 'm.onnx', nodes, {'zero': np.zeros(1, np.float32)}, [('x', FLOAT, ['N', 4])],
                           [('best', INT64, ['N', 1]), ('above', BOOL, ['N', 4])])
        x = np.random.default_rng(0).normal(0, 1, (3, 4)).astype(np.float32)
        out = self.run_one(model, x=x)
        self.assertEqual((out['best'].dtype, out['above'].dtype), (np.int64, np.bool_))
        np.testing.assert_array_equal(out['best'][:, 0], x.argmax(1))
        np.testing.assert_array_equal(out['above'], x > 0)

    def test_quantize_and_verify_with_integer_inputs_and_outputs(self):
        random = np.random.default_rng(0)
        weights = {'table': random.normal(0, 1, (20, 8)).astype(np.float32), 'w': random.normal(0, 1, (8, 5)).astype(np.float32)}
        nodes = [helper.make_node('Gather', ['table', 'ids'], ['e'], 'embed'), helper.make_node('Cast', ['mask'], ['m'], 'cast', to=FLOAT),
                 helper.make_node('Mul', ['e', 'm'], ['k'], 'mask'), helper.make_node('MatMul', ['k', 'w'], ['p'], 'fc'),
                 helper.make_node('ReduceMean', ['p'], ['scores'], 'mean', axes=[1], keepdims=0), helper.make_node('ArgMax', ['scores'], ['best'], 'best', axis=1, keepdims=0)]
        model = save_typed(self.folder / 'm.onnx', nodes, weights, [('ids', INT64, ['N', 6]), ('mask', BOOL, ['N', 6, 1])],
                           [('scores', FLOAT, ['N', 5]), ('best', INT64, ['N'])])
        data, quantized = self.folder / 'd.npz', self.folder / 'q.onnx'
        np.savez(data, ids=random.integers(0, 20, (40, 6), dtype=np.int32), mask=random.random((40, 6, 1)) < 0.8, y=random.integers(0, 5, 40))
        self.run_it('quantize', model, '--data', data, '-o', quantized, '--allow-float')
        out = json.loads(self.run_it('verify', quantized, '--data', data, '--json').stdout)
        self.assertEqual((out['unexplained'], [o['name'] for o in out['outputs']]), (0, ['scores', 'best']))
        rows = json.loads(self.run_it('evaluate', model, quantized, '--data', data, '--json').stdout)
        self.assertEqual([row['samples'] for row in rows], [40] * 3)
        rows = json.loads(self.run_it('evaluate', quantized, '--data', data, '--reference', model, '--json').stdout)
        self.assertGreater(rows[1]['outputs'][0]['cosine'], 0.99)

    def test_outputs_of_fewer_than_8_bits(self):
        graph = helper.make_graph([helper.make_node('QuantizeLinear', ['x', 's', 'z'], ['y'])], 'g', [helper.make_tensor_value_info('x', FLOAT, ['N', 4])],
                                  [helper.make_tensor_value_info('y', FLOAT, ['N', 4])],
                                  [numpy_helper.from_array(np.array(1, np.float32), 's'), TensorProto(name='z', data_type=22, raw_data=b'\0')])
        graph.output[0].type.tensor_type.elem_type = 22  # int4, which this onnx may not know
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 21)]), str(self.folder / 'm.onnx'))
        y = self.run_one(self.folder / 'm.onnx', x=np.array([[1, -9, 3, 20]], np.float32))['y']
        self.assertEqual(y.dtype, np.int8)
        np.testing.assert_array_equal(y, [[1, -8, 3, 7]])

    def test_every_rank_from_arrays(self):
        """A signal [N, C, W], a volume [N, C, D, H, W], and vectors without a dimension for samples."""
        random = np.random.default_rng(1)
        conv1 = [helper.make_node('Conv', ['x', 'w'], ['c'], 'conv'), helper.make_node('Relu', ['c'], ['y'], 'relu')]
        plain = [helper.make_node('Relu', ['x'], ['r'], 'relu'), helper.make_node('Sigmoid', ['r'], ['y'], 'sigmoid')]
        matrix = [helper.make_node('MatMul', ['x', 'm'], ['p'], 'product'), helper.make_node('Tanh', ['p'], ['y'], 'tanh')]
        for name, nodes, weights, shape, output in (
                ('signal', conv1, {'w': random.normal(0, 1, (3, 2, 5)).astype(np.float32)}, ['N', 2, 20], ['N', 3, 16]),
                ('volume', plain, {}, ['N', 2, 3, 4, 5], ['N', 2, 3, 4, 5]), ('batch of 2', plain, {}, [2, 7], [2, 7]),
                ('numbers', plain, {}, ['N'], ['N']), ('vector', plain, {}, [6], [6]),
                ('whole matrix', matrix, {'m': random.normal(0, 1, (4, 3)).astype(np.float32)}, [5, 4], [5, 3])):
            with self.subTest(name):
                model = save_typed(self.folder / 'm.onnx', nodes, weights, [('x', FLOAT, shape)], [('y', FLOAT, output)])
                row = shape[1:] if shape[0] == 'N' or name == 'batch of 2' else shape
                np.save(self.folder / 'x.npy', random.normal(0, 1, (11, *row)).astype(np.float32))
                data, quantized = self.folder / 'x.npy', self.folder / 'q.onnx'
                self.run_it('quantize', model, '--data', data, '-o', quantized)
                out = json.loads(self.run_it('verify', quantized, '--data', data, '--json').stdout)
                self.assertEqual((out['samples'], out['unexplained']), (11, 0))
                rows = json.loads(self.run_it('evaluate', quantized, '--data', data, '--reference', model, '--json').stdout)
                self.assertGreater(rows[1]['outputs'][0]['cosine'], 0.99)
                self.assertEqual(rows[1]['outputs'][0]['compared'], 11 * np.prod([d for d in (output[1:] if len(row) < len(shape) else output)], dtype=int))

    def test_pictures_stay_pixels_and_floats_are_taken_as_they_are(self):
        model, quantized = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'q.onnx'
        pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
        np.savez(self.folder / 'p.npz', x=pixels)
        np.savez(self.folder / 'f.npz', x=pixels[:, None].astype(np.float32) / np.float32(255))
        self.run_it('quantize', model, '--data', self.folder / 'p.npz', '--preset', 'mnist', '-o', quantized)
        results = [json.loads(self.run_it('evaluate', quantized, '--data', self.folder / f'{n}.npz', '--reference', model, '--json').stdout)
                   for n in 'pf']
        self.assertEqual([[row.pop('preparation')['pixels'] for row in rows] for rows in results], [[True, True], [False, False]])
        self.assertEqual(*results)
        self.expect_error('evaluate', quantized, '--data', self.folder / 'f.npz', '--preset', 'mnist', '--reference', model, code=USAGE, says='no pixels')

    def test_own_mean_std_and_scale(self):
        model, own, named = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'own.onnx', self.folder / 'named.onnx'
        self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 50, '--scale', 255, '-o', own)
        self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 50, '--preset', 'mnist', '-o', named)
        saved = [json.loads(self.run_it('inspect', m, '--json').stdout) for m in (own, named)]
        self.assertEqual(saved[0]['metadata']['halftone.preprocessing'], 'name=custom divisor=255 mean=0 std=1')
        self.assertEqual(saved[0]['layers'], saved[1]['layers'])
        rows = [json.loads(self.run_it('evaluate', own, '--data', 'digits', '--samples', 50, '--json', *more).stdout)[1]['accuracy']
                for more in ([], ['--scale', '255'], ['--mean', '0', '--std', '255'])]
        self.assertEqual(rows, [rows[0]] * 3)
        for wrong in (['--mean', '0,0', '--std', '1,1,1'], ['--std', '0'], ['--scale', '1,2'], ['--mean', 'a'], ['--mean', '1,'],
                      ['--preset', 'raw', '--scale', '2']):
            with self.subTest(wrong):
                self.expect_error('evaluate', own, '--data', 'digits', *wrong, code=USAGE)

    def test_size_and_cutting_of_pictures(self):
        """Pictures of 8x8, black but for their outer columns, for a network of 4x4."""
        rows = np.zeros((8, 8, 3), np.uint8)
        rows[:, [0, 1, 6, 7]] = 200

        def chunk(kind, body):
            return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
        folder = self.folder / 'pictures' / 'only'
        folder.mkdir(parents=True)
        (folder / 'p.png').write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0)) +
                                       chunk(b'IDAT', zlib.compress(b''.join(b'\0' + row.tobytes() for row in rows))) + chunk(b'IEND', b''))
        nodes = [helper.make_node('Relu', ['x'], ['r'], 'relu'), helper.make_node('Sigmoid', ['r'], ['y'], 'sigmoid')]
        model = save_typed(self.folder / 'm.onnx', nodes, {}, [('x', FLOAT, ['N', 3, 4, 4])], [('y', FLOAT, ['N', 3, 4, 4])])

        def error(*arguments):
            np.save(self.folder / 'r.npy', np.full((1, 3, 4, 4), 0.5, np.float32))  # the network's answer to black
            out = self.run_it('evaluate', model, '--images', folder.parent, '--scale', '255', '--reference', self.folder / 'r.npy', '--json', *arguments).stdout
            return json.loads(out)[0]['outputs'][0]['max_absolute_error']
        self.assertEqual(error('--resize', '8'), 0)
        self.assertGreater(error('--crop', 'off'), 0.1)
        self.assertGreater(error(), 0.01)
        self.expect_error('evaluate', model, '--images', folder.parent, '--scale', '255', '--resize', '3', code=USAGE, says='at least the 4')
        self.expect_error('evaluate', model, '--images', folder.parent, '--scale', '255', '--resize', '8', '--crop', 'off', code=USAGE)
        self.expect_error('evaluate', model, '--data', 'digits', '--resize', '8', code=USAGE, says='--images')


if __name__ == '__main__':
    unittest.main()
