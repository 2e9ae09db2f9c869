#!/usr/bin/env python3
"""What quantization loses without a word in a mean, and samples that ranges should not be chosen on, are said."""
import json
import unittest

import numpy as np
from onnx import helper

from program import ProgramTest, save

CONV = dict(inputs=(('x', ['N', 2, 4, 4]),), outputs=(('y', ['N', None, 4, 4]),))


class Warnings(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / 'x.npy'
        self.x = np.random.default_rng(2).random((64, 2, 4, 4), np.float32)
        np.save(self.data, self.x)
        self.int8 = self.folder / 'q.onnx'

    def head(self, boxes, name='head.onnx'):
        """Boxes of a Conv times `boxes`, and scores of another through a Sigmoid, in one Concat."""
        random = np.random.default_rng(3)
        weights = {'wb': random.normal(0, 1, (4, 2, 1, 1)).astype(np.float32) * np.float32(boxes),
                   'ws': random.normal(0, 2, (3, 2, 1, 1)).astype(np.float32)}
        nodes = [helper.make_node('Conv', ['x', 'wb'], ['boxes'], 'boxes'), helper.make_node('Conv', ['x', 'ws'], ['c'], 'classes'),
                 helper.make_node('Sigmoid', ['c'], ['scores'], 'sigmoid'), helper.make_node('Concat', ['boxes', 'scores'], ['y'], 'join', axis=1)]
        return save(self.folder / name, nodes, weights, **CONV)

    def layer(self, bias, name='layer.onnx'):
        random = np.random.default_rng(4)
        biases = random.normal(0, 0.1, 8).astype(np.float32)
        biases[5] = bias
        nodes = [helper.make_node('Conv', ['x', 'w', 'b'], ['y'], 'conv')]
        return save(self.folder / name, nodes, {'w': random.normal(0, 1, (8, 2, 1, 1)).astype(np.float32), 'b': biases}, **CONV)

    def quantize(self, model, *arguments, data=None):
        return self.run_it('quantize', model, '--data', data or self.data, '-o', self.int8, *arguments)

    def test_a_part_of_a_join_that_is_lost_is_named(self):
        model = self.head(600)
        done = self.quantize(model, '--json')
        self.assertRegex(done.stderr, r"warning: \[y\] lost: its part 'scores' .*more bits: --output-bits 16")
        self.assertEqual(len(json.loads(done.stdout)['warnings']), 1)
        y = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', model, '--json').stdout)[1]['outputs'][0]
        self.assertGreater(y['cosine'], 0.9999)
        self.assertGreater(y['worst_channel']['relative_error'], 0.9)
        self.assertEqual(y['worst_channel']['dimension'], 1)
        self.assertIn(y['worst_channel']['index'], (4, 5, 6))
        analysis = self.run_it('analyze', model, self.int8, '--data', self.data)
        self.assertRegex(analysis.stdout, r'y  dimension 1, index [456]: .*; more bits: --output-bits 16')
        self.assertRegex(analysis.stdout, r'its worst channel dimension 1, index [456]')
        self.assertEqual(self.quantize(model, '--output-bits', 16).stderr, '')
        y = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', model, '--json').stdout)[1]['outputs'][0]
        self.assertLess(y['worst_channel']['relative_error'], 0.5)

    def test_parts_that_are_alike_are_not(self):
        model = self.head(1)
        self.assertEqual(self.quantize(model).stderr, '')
        self.assertNotIn('nothing is left', self.run_it('analyze', model, self.int8, '--data', self.data).stdout)

    def test_a_part_inside_asks_for_a_rule(self):
        import onnx
        whole = onnx.load(str(self.head(600)))
        whole.graph.node.append(helper.make_node('Tanh', ['y'], ['end'], 'tanh'))
        whole.graph.output[0].name = 'end'
        onnx.save(whole, str(self.folder / 'inside.onnx'))
        done = self.quantize(self.folder / 'inside.onnx')
        self.assertIn('[[tensor]] name = "y", bits = 16', done.stderr.replace("'", '"'))
        # The rule does what the warning says.
        recipe = (self.folder / 'q.recipe.toml').read_text()
        (self.folder / 'own.toml').write_text(recipe.split('[data]')[0] + '[[tensor]]\nname = "y"\nbits = 16\n')
        self.assertEqual(self.quantize(self.folder / 'inside.onnx', '--recipe', self.folder / 'own.toml').stderr, '')

    def test_channels_beside_a_huge_bias_are_named(self):
        done = self.quantize(self.layer(5e4))
        self.assertRegex(done.stderr, r'warning: \[y\] lost: \d of its 8 channels; .*--output-bits 16')
        self.assertEqual(self.quantize(self.layer(0.3)).stderr, '')

    def test_few_samples(self):
        np.save(self.folder / 'few.npy', self.x[:31])
        self.assertRegex(self.quantize(self.layer(0.3), data=self.folder / 'few.npy').stderr, r'warning: \[few\] .*31 samples, expected some 32')
        np.save(self.folder / 'enough.npy', self.x[:32])
        self.assertEqual(self.quantize(self.layer(0.3), data=self.folder / 'enough.npy').stderr, '')

    def test_samples_that_say_nothing(self):
        for name, x, says in (('zeros', np.zeros_like(self.x), 'every number of all 64 samples is 0'),
                              ('constant', np.full_like(self.x, 3), 'every number of all 64 samples is 3'),
                              ('same', np.repeat(self.x[:1], 64, 0), 'all 64 samples are the same')):
            np.save(self.folder / f'{name}.npy', x)
            for command in (('quantize', self.layer(0.3), '-o', self.int8), ('calibrate', self.layer(0.3), '-o', self.folder / 'r.json')):
                self.assertIn(says, self.run_it(*command, '--data', self.folder / f'{name}.npy').stderr)

    def test_an_outlier_is_named_with_its_sample(self):
        x = self.x.copy()
        x[40, 1, 2, 3] = 1000
        np.save(self.folder / 'outlier.npy', x)
        for command in (('quantize', self.layer(0.3), '-o', self.int8), ('calibrate', self.layer(0.3), '-o', self.folder / 'r.json')):
            self.assertRegex(self.run_it(*command, '--data', self.folder / 'outlier.npy').stderr, r"warning: \[value 'x'\] sample 40 alone")
        x[40, 1, 2, 3] = 20
        np.save(self.folder / 'outlier.npy', x)
        self.assertEqual(self.quantize(self.layer(0.3), data=self.folder / 'outlier.npy').stderr, '')

    def test_samples_far_from_the_calibrated_range(self):
        model = self.layer(0.3)
        self.quantize(model)
        np.save(self.folder / 'large.npy', self.x * 255)
        np.save(self.folder / 'small.npy', self.x / 255)
        for command in (('evaluate', self.int8, '--reference', model), ('verify', self.int8), ('analyze', model, self.int8)):
            self.assertEqual(self.run_it(*command, '--data', self.data).stderr, '', command)
            self.assertRegex(self.run_it(*command, '--data', self.folder / 'large.npy').stderr, r"warning: .*input 'x': 9\d\.\d % of its numbers lie far outside")
            self.assertRegex(self.run_it(*command, '--data', self.folder / 'small.npy').stderr, r"warning: .*input 'x': all its numbers lie within")

    def test_samples_beside_the_calibrated_range(self):
        model = self.layer(0.3)
        self.quantize(model)
        np.save(self.folder / 'beside.npy', -self.x)
        self.assertRegex(self.run_it('evaluate', self.int8, '--reference', model, '--data', self.folder / 'beside.npy').stderr,
                         r"warning: .*input 'x': 100\.0 % of its numbers lie outside")

    def test_samples_that_change_each_other_are_named(self):
        weights = {'w': np.random.default_rng(5).normal(0, 1, (8, 2, 1, 1)).astype(np.float32)}
        for axis, mixes in ((0, True), (1, False)):
            nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], 'conv'), helper.make_node('Softmax', ['c'], ['y'], 'end', axis=axis)]
            model = save(self.folder / 'softmax.onnx', nodes, weights, **CONV)
            says = "samples of one batch change each other: 'y' of sample "
            done = self.quantize(model, '--allow-float')
            self.assertEqual(says in done.stderr, mixes, (axis, done.stderr))
            rows = json.loads(self.run_it('evaluate', model, self.int8, '--data', self.data, '--reference', model, '--json').stdout)
            self.assertEqual([len(row['warnings']) for row in rows], [int(mixes), 0, 0])
            alone = self.run_it('evaluate', model, '--data', self.data, '--reference', model, '--shape', 'x=1x2x4x4')
            self.assertNotIn(says, alone.stderr)
            if mixes:
                self.assertIn('--shape x=1x2x4x4 runs each by itself', done.stderr)

    def test_few_samples_behind_ranges(self):
        model, parts = self.layer(0.3), [self.folder / f'{i}.json' for i in (1, 2)]
        for i, part in enumerate(parts):
            self.run_it('calibrate', model, '--data', self.data, '--calibration-samples', 8, '--shard', f'{i + 1}/2', '-o', part)
        self.assertIn('ranges are chosen on 8 samples', self.run_it('quantize', model, '--ranges', *parts, '-o', self.int8).stderr)

    def test_ranges_of_another_network_or_other_data_are_noticed(self):
        ranges, other = self.folder / 'r.json', self.folder / 'other.npy'
        self.run_it('calibrate', self.layer(0.3), '--data', self.data, '-o', ranges)
        says = 'has the ranges of another network'
        self.assertNotIn(says, self.run_it('quantize', self.layer(0.3), '--ranges', ranges, '-o', self.int8).stderr)
        self.assertIn(says, self.run_it('quantize', self.layer(0.7), '--ranges', ranges, '-o', self.int8).stderr)
        plain = save(self.folder / 'plain.onnx', [helper.make_node('Conv', ['x', 'w'], ['y'], 'conv')],
                     {'w': np.random.default_rng(4).normal(0, 1, (8, 2, 1, 1)).astype(np.float32)}, **CONV)
        self.run_it('calibrate', plain, '--data', self.data, '-o', self.folder / 'plain.json')
        done = self.run_it('quantize', plain, '--ranges', self.folder / 'plain.json', '--data', self.data, '--bits', 'w4a8', '-o', self.int8)
        self.assertNotIn(says, done.stderr)
        np.save(other, 100 * self.x)
        model, parts = self.layer(0.3), [self.folder / f'{i}.json' for i in (1, 2)]
        for i, data in enumerate((self.data, other)):
            self.run_it('calibrate', model, '--data', data, '--shard', f'{i + 1}/2', '-o', parts[i])
        self.expect_error('quantize', model, '--ranges', *parts, '-o', self.int8, code=3, says='is of the samples')

    def test_a_quant_that_has_no_integers_stays_float(self):
        import onnx
        from onnx import TensorProto, numpy_helper
        for bits, zero in ((20, 0), (8, 2.5), (8, 300)):
            numbers = {'s': np.float32(2**-10), 'z': np.float32(zero), 'b': np.float32(bits)}
            node = helper.make_node('Quant', ['x', 's', 'z', 'b'], ['y'], 'quant', domain='qonnx.custom_op.general', signed=1, narrow=0,
                                    rounding_mode='ROUND')
            graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['N', 2, 4, 4])],
                                      [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['N', 2, 4, 4])],
                                      [numpy_helper.from_array(np.array(a), n) for n, a in numbers.items()])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13), helper.make_opsetid('qonnx.custom_op.general', 1)])
            model.ir_version = 7
            onnx.save(model, str(self.int8))
            q = np.clip(np.rint(self.x / np.float32(2**-10) + zero), -2**(bits - 1), 2**(bits - 1) - 1)
            np.save(self.folder / 'y.npy', ((q - zero) * 2.0**-10).astype(np.float32))
            rows = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', self.folder / 'y.npy', '--json').stdout)
            for row in rows:
                self.assertEqual(row['outputs'][0]['max_absolute_error'], 0, (bits, zero, row['mode']))

    def test_outputs_that_are_not_finite_are_refused(self):
        model, reference = self.layer(0.3), self.folder / 'r.npy'
        y = np.zeros((64, 8, 4, 4), np.float32)
        y[3, 1] = np.nan
        np.save(reference, y)
        self.expect_error('evaluate', model, '--data', self.data, '--reference', reference, code=3, says="reference 'y'] row 3 holds nan")

    def test_integer_is_said_only_of_what_runs_on_integers(self):
        model = self.layer(0.3)
        for arguments, mode, integer_macs in ((('--bits', 'w8a8'), 'integer', 256), (('--bits', 'w8'), 'float, integer weights', 0),
                                              (('--dynamic',), 'integer and float', 256)):
            self.quantize(model, *arguments)
            row = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', model, '--json').stdout)[1]
            self.assertEqual((row['mode'], row['integer_macs']), (mode, integer_macs), arguments)

    def test_a_file_of_integer_operators_alone_is_quantized(self):
        from onnx import TensorProto, numpy_helper
        import onnx
        random = np.random.default_rng(6)
        numbers = {'xs': np.float32(0.5), 'xz': np.uint8(3), 'w': random.integers(-127, 127, (4, 2, 1, 1)).astype(np.int8),
                   'ws': np.float32(0.01), 'wz': np.int8(0), 'ys': np.float32(0.25), 'yz': np.uint8(100)}
        node = helper.make_node('QLinearConv', ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'], ['y'], 'conv')
        graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', TensorProto.UINT8, ['N', 2, 4, 4])],
                                  [helper.make_tensor_value_info('y', TensorProto.UINT8, ['N', 4, 4, 4])],
                                  [numpy_helper.from_array(np.array(a), n) for n, a in numbers.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
        model.ir_version = 7
        onnx.save(model, str(self.int8))
        np.save(self.data, random.integers(0, 255, (8, 2, 4, 4)).astype(np.uint8))
        rows = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', self.int8, '--json').stdout)
        self.assertEqual([(row['mode'], row['integer_macs']) for row in rows], [('simulated', 0), ('integer', 128)])
        self.run_it('verify', self.int8, '--data', self.data)

    def test_parameters_of_one_file_are_the_same_everywhere(self):
        model = self.layer(0.3)
        for arguments in ([], ['--bits', 'w4a8'], ['--bits', 'w8'], ['--dynamic'], ['--format', 'qoperator'], ['--format', 'qonnx']):
            made = json.loads(self.quantize(model, '--json', *arguments).stdout)
            seen = json.loads(self.run_it('inspect', self.int8, '--json').stdout)
            row = json.loads(self.run_it('evaluate', self.int8, '--data', self.data, '--reference', model, '--json').stdout)[1]
            self.assertEqual((made['bytes'], made['parameter_bytes']), (seen['file_bytes'], seen['parameter_bytes']), arguments)
            self.assertEqual((row['bytes'], row['parameter_bytes']), (made['bytes'], made['parameter_bytes']), arguments)


if __name__ == '__main__':
    unittest.main()
