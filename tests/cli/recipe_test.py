#!/usr/bin/env python3
"""Recipes, methods and calibration files as a user has them: the same bytes again, and clear refusals."""
import json
import tomllib
import unittest

import numpy as np
import onnx
from onnx import helper, numpy_helper

from program import PLAIN, ProgramTest, save, save_mlp

USAGE, BAD = 2, 3
FINE = ['--bits', 'w3a4', '--observer', 'mse', '--weight-observer', 'mse', '--correct-bias', '--first-last', 'w8a8']


class Quantizations(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.output = self.folder / 'q.onnx'
        self.again = self.folder / 'again.onnx'

    def quantize(self, *arguments, output=None):
        return self.run_it('quantize', self.model, '-o', output or self.output, *arguments)

    def tensors(self):
        return {tensor.name: tensor for tensor in onnx.load(self.output).graph.initializer}

    def refuses(self, *arguments, code, says):
        before = self.files()
        message = self.expect_error('quantize', self.model, '-o', self.again, *arguments, code=code, says=says)
        self.assertEqual(self.files(), before)
        return message


class Recipes(Quantizations):
    def test_the_recipe_beside_a_file_makes_the_same_bytes(self):
        for arguments in ([], [*FINE, '--error-feedback'], [*FINE, '--adaround', '--adaround-steps', 20],
                          ['--bits', 'wta8', '--equalize', '--granularity', 'tensor'], ['--bits', 'w1a8', '--arithmetic', 'shift'],
                          ['--bits', 'w5', '--correct-bias'], ['--bits', 'w3', '--granularity', 'group=20', '--error-feedback'], ['--format', 'qonnx', '--asymmetric'],
                          ['--arithmetic', 'onnx', '--format', 'qoperator'],
                          ['--bits', 'w3a8', '--codebook', 'kmeans'], ['--bits', 'w4', '--codebook', 'log2'],
                          ['--bits', 'w5a3', '--bias-bits', 6, '--format', 'qonnx']):
            with self.subTest(arguments):
                self.quantize('--data', 'digits', '--calibration-samples', 100, *arguments)
                recipe = self.folder / 'q.recipe.toml'
                kept = recipe.read_text()
                self.quantize('--recipe', recipe, output=self.again)
                self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
                self.assertEqual((self.folder / 'again.recipe.toml').read_text(), kept)
                self.quantize('--recipe', recipe, '--threads', 1, output=self.again)
                self.assertEqual(self.output.read_bytes(), self.again.read_bytes())

    def settings(self, *arguments):
        """What the recipe beside the file says of all layers and activations, and whether a rule has 8 bits for the outputs."""
        self.quantize('--data', 'digits', '--calibration-samples', 50, *arguments)
        recipe = tomllib.loads((self.folder / 'q.recipe.toml').read_text())
        outputs = [rule['bits'] for rule in recipe.get('tensor', []) if rule['name'] == '<output>']
        return (recipe['weights']['range'], recipe['weights']['rounding'], recipe['activations']['observer'],
                recipe['methods']['correct_bias'], outputs)

    def test_fewer_than_8_bits_come_with_what_pays(self):
        plain = ('minmax', 'nearest', 'minmax', 'none', [])
        methods = ('mse', 'error-feedback', 'mse', 'measured', [])
        self.assertEqual(self.settings(), plain)
        self.assertEqual(self.settings('--bits', 'w16a8'), plain)
        self.assertEqual(self.settings('--bits', 'w4a8'), methods)
        self.assertEqual(self.settings('--bits', 'w8a7'), (*methods[:4], [8]))
        self.assertEqual(self.settings('--bits', 'w4a4', '--output-bits', 3), (*methods[:4], [3]))
        self.assertEqual(self.settings('--bits', 'w4a4', '--first-last', 'w8a6'), (*methods[:4], [6]))
        self.assertEqual(self.settings('--bits', 'w4a4', '--first-last', 'w8'), (*methods[:4], [4, 8]))  # the last rule counts
        self.assertEqual(self.settings('--first-last', 'w4a4'), (*methods[:4], [4]))
        self.assertEqual(self.settings('--bits', 'w4a8', '--first-last', 'w1a8'), (*methods[:4], [8]))
        self.assertEqual(self.settings('--bits', 'w1a8'), ('minmax', *methods[1:]))
        self.assertEqual(self.settings('--bits', 'w4a8', '--codebook', 'kmeans'), ('minmax', 'nearest', *methods[2:]))
        self.assertEqual(self.settings('--bits', 'w4a8', *PLAIN), plain)
        self.assertEqual(self.settings('--bits', 'w4a8', '--nearest', '--observer', 'kl', '--weight-observer', 'l1', '--correct-bias=analytic'),
                         ('l1', 'nearest', 'kl', 'analytic', []))
        self.assertEqual(self.settings('--bits', 'w4a8', '--adaround', '--adaround-steps', 5), ('mse', 'adaround', *methods[2:]))
        self.assertEqual(self.settings('--bits', 'w4')[:2], plain[:2])
        self.assertEqual(self.settings('--dynamic')[:2], plain[:2])
        self.refuses('--bits', 'w4a8', '--nearest', '--error-feedback', '--data', 'digits', code=USAGE, says='--nearest')
        self.refuses('--bits', 'w4a8', '--nearest', '--adaround', '--data', 'digits', code=USAGE, says='--nearest')

    def test_ranges_without_samples_are_for_methods_that_need_none(self):
        ranges = self.folder / 'ranges.json'
        self.run_it('calibrate', self.model, '--data', 'digits', '--calibration-samples', 50, '-o', ranges)
        self.refuses('--bits', 'w4a8', '--ranges', ranges, code=USAGE, says='and bias correction, expected some, or --nearest --correct-bias=none')
        self.refuses('--bits', 'w4a8', '--ranges', ranges, '--nearest', code=USAGE, says='for bias correction, expected some, or --correct-bias=none')
        self.assertNotIn('--nearest', self.refuses('--bits', 'w4a8', '--ranges', ranges, '--adaround', code=USAGE, says='no samples'))
        self.quantize('--bits', 'w4a8', '--ranges', ranges, '--nearest', '--correct-bias=none')

    def test_layers_that_are_named_stay_float(self):
        few = ('--data', 'digits', '--calibration-samples', 30)
        for arguments, integers, names in ((('--only', 'fc2'), 1, ['flatten', 'fc1', 'tanh1']), (('--keep-float', 'fc1', 'nothing*', '*2'), 0, []),
                                           (('--keep-float', 'w1'), 2, ['flatten', 'fc1']), (('--only', 'fc1', 'tanh1', 'flatten'), 3, ['fc2'])):
            if names == []:
                self.refuses(*few, *arguments, code=USAGE, says="layer 'nothing*', which is to stay float")
                continue
            out = json.loads(self.run_it('quantize', self.model, '-o', self.output, *few, *arguments, '--json').stdout)
            self.assertEqual([node['node'] for node in out['float_nodes']], names)
            self.assertEqual(out['integer_nodes'], integers)
            self.assertIn('that a rule keeps float' if 'w1' in arguments else 'a rule keeps it float', out['float_nodes'][0]['reason'])
            self.assertEqual({'w1', 'w2'} & set(self.tensors()), {{'fc1': 'w1', 'fc2': 'w2'}[n] for n in names if n.startswith('fc')})
            self.run_it('verify', self.output, '--data', 'digits', '--samples', 20)
            self.quantize('--recipe', self.folder / 'q.recipe.toml', output=self.again)
            self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
        self.refuses(*few, '--only', 'fc7', code=USAGE, says="layer 'fc7' matches no layer with weights")
        self.refuses(*few, '--keep-float', '*', code=BAD, says='nothing to quantize')
        self.refuses(*few, '--keep-float', 'fc1', '--only', 'fc2', code=USAGE, says='excludes')
        self.refuses(*few, '--first-last', 'w8a8', '--only', 'fc2', code=USAGE, says='excludes')
        self.quantize(*few, '--bits', 'w4', '--keep-float', 'fc2')
        self.assertEqual({'w1', 'w2'} & set(self.tensors()), {'w2'})

    def test_layers_of_very_many_inputs_are_rounded_to_nearest(self):
        random = np.random.default_rng(3)
        wide = save(self.folder / 'wide.onnx', [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'),
                                                helper.make_node('Concat', ['flat'] * 11, ['many'], 'many', axis=1),
                                                helper.make_node('Gemm', ['many', 'w'], ['output'], 'fc', transB=1)],
                    {'w': random.normal(0, 0.02, (10, 11 * 784)).astype(np.float32)})
        files = []
        for rounding in ('--error-feedback', '--nearest'):
            out = json.loads(self.run_it('quantize', wide, '-o', self.output, '--data', 'digits', '--calibration-samples', 20, '--bits', 'w3a8',
                                         rounding, '--json').stdout)
            self.assertEqual([note for note in out['notes'] if 'more than 8192 inputs' in note] != [], rounding == '--error-feedback')
            files.append(self.output.read_bytes())
        self.assertEqual(*files)
        recipe = self.folder / 'rule.toml'
        recipe.write_text('[weights]\nbits = 3\n[[layer]]\nname = "fc"\nrounding = "adaround"\n')
        out = json.loads(self.run_it('quantize', wide, '-o', self.output, '--data', 'digits', '--calibration-samples', 20, '--recipe', recipe, '--json').stdout)
        self.assertIn('more than 8192 inputs', out['notes'][0])

    def test_products_that_stay_float_are_left_alone(self):
        random = np.random.default_rng(3)
        for name, shape in (('vector', (784,)), ('matrices', (1, 784, 784))):
            odd = save(self.folder / f'{name}.onnx',
                       [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'), helper.make_node('MatMul', ['flat', 'v'], ['product'], name),
                        helper.make_node('Flatten', ['product'], ['row'], 'rows', axis=0 if len(shape) > 1 else 1),
                        helper.make_node('MatMul', ['flat', 'w'], ['output'], 'fc'), helper.make_node('Tanh', ['row'], ['other'], 'tanh')],
                       {'v': random.normal(0, 0.1, shape).astype(np.float32), 'w': random.normal(0, 0.1, (784, 10)).astype(np.float32)})
            out = json.loads(self.run_it('quantize', odd, '-o', self.output, '--data', 'digits', '--calibration-samples', 20, '--bits', 'w4a8',
                                         '--allow-float', '--json').stdout)
            self.assertEqual(out['notes'], [])

    def test_every_method_verifies(self):
        for arguments in ([*FINE, '--error-feedback'], ['--bits', 'w1a8', '--error-feedback'], ['--bits', 'wta4'],
                          ['--bits', 'w8a16'], ['--bits', 'w4a8', '--granularity', 'group=32', '--correct-bias'],
                          ['--bits', 'w4a8', '--granularity', 'group=32', '--correct-bias=analytic'],
                          ['--bits', 'w2a8', '--granularity', 'group=10', '--correct-bias', '--error-feedback', '--asymmetric'],
                          ['--bits', 'w3a8', '--granularity', 'group=7', '--adaround', '--adaround-steps', 20],
                          ['--bits', 'w3a8', '--granularity', 'group=100', '--arithmetic', 'shift', '--asymmetric'], ['--bits', 'w2a2', '--asymmetric', '--adaround', '--adaround-steps', 20],
                          ['--bits', 'w4a3', '--rounding', 'half_up', '--bias-bits', 8], ['--bits', 'w7a11', '--rounding', 'half_away', '--bias-bits', 4],
                          ['--bits', 'w4a1', '--rounding', 'half_away', '--arithmetic', 'shift', '--granularity', 'tensor', '--bias-bits', 12],
                          ['--bits', 'w1a6', '--bias-bits', 3, '--error-feedback', '--correct-bias'],
                          ['--bits', 'w4a8', '--codebook', 'kmeans', '--correct-bias'], ['--bits', 'w2a8', '--codebook', 'kmeans', '--granularity', 'tensor'],
                          ['--bits', 'w5a8', '--codebook', 'log2', '--arithmetic', 'shift'], ['--bits', 'w3a4', '--codebook', 'log2', '--first-last', 'w5a8']):
            with self.subTest(arguments):
                self.quantize('--data', 'digits', '--calibration-samples', 100, *arguments)
                out = json.loads(self.run_it('verify', self.output, '--data', 'digits', '--samples', 100, '--json').stdout)
                self.assertEqual(out['unexplained'], 0)

    def test_too_few_samples_are_warned_of(self):
        with_few = self.run_it('quantize', self.model, '-o', self.output, '--data', 'digits', '--observer', 'kl', '--calibration-samples', 2)
        self.assertRegex(with_few.stderr, r'(?m)^warning: .*kl saw 20 values .* wants 2,048: 205 samples or more$')
        for arguments in (['--observer', 'kl', '--calibration-samples', 205], ['--observer', 'mse', '--calibration-samples', 2]):
            done = self.run_it('quantize', self.model, '-o', self.output, '--data', 'digits', *arguments)
            self.assertNotIn('wants', done.stderr)

    def test_weights_alone_need_no_samples(self):
        self.quantize('--bits', 'w4')
        rows = json.loads(self.run_it('evaluate', self.output, '--data', 'digits', '--preset', 'mnist', '--samples', 10, '--json').stdout)
        self.assertGreater(rows[0]['float_nodes'], 0)
        self.refuses('--bits', 'w4', '--correct-bias', code=USAGE, says='no samples')
        self.refuses('--bits', 'w4a8', code=USAGE, says='no samples')

    def test_dynamic_ranges_are_those_of_every_input(self):
        for bits, granularity in (('w8a8', 'channel'), ('w4a8', 'tensor')):
            self.quantize('--bits', bits, '--dynamic', '--granularity', granularity)
            graph = onnx.load(self.output).graph
            onnx.checker.check_model(onnx.load(self.output))
            self.assertEqual([n.op_type for n in graph.node].count('MatMulInteger'), 2)
            constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
            x = np.random.default_rng(1).uniform(0, 1, (5, *[d.dim_value for d in graph.input[0].type.tensor_type.shape.dim][1:])).astype(np.float32)
            np.save(self.folder / 'x.npy', x)
            self.run_it('run', self.output, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
            values = {graph.input[0].name: x}
            for node in graph.node:
                given = [values[name] if name in values else constants[name] for name in node.input]
                values.update(zip(node.output, self.evaluated(node, given)))
            np.testing.assert_allclose(np.load(self.folder / 'y.npy'), values[graph.output[0].name], rtol=1e-4, atol=1e-5)
        kept = self.output.read_bytes()
        self.quantize('--recipe', self.folder / 'q.recipe.toml', output=self.again)
        self.assertEqual(self.again.read_bytes(), kept)
        self.refuses('--dynamic', '--bits', 'w4', code=USAGE, says='--dynamic')
        self.refuses('--dynamic', '--bits', 'w16a8', code=USAGE, says='8 bits at most')
        self.refuses('--dynamic', '--granularity', 'group=8', code=USAGE, says='by group')
        self.refuses('--dynamic', '--format', 'qonnx', code=USAGE, says='--format')

    @staticmethod
    def evaluated(node, given):
        """The operators of ONNX, written from its text."""
        x = given[0]
        if node.op_type == 'DynamicQuantizeLinear':
            lo, hi = min(x.min(), 0), max(x.max(), 0)
            scale = np.float32(hi - lo) / np.float32(255)
            zero = np.clip(np.rint(-lo / scale), 0, 255).astype(np.uint8)
            return np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8), scale, zero
        if node.op_type == 'MatMulInteger':
            return [(x.astype(np.int64) - given[2]) @ given[1].astype(np.int64)]
        if node.op_type == 'Flatten':
            return [x.reshape(len(x), -1)]
        if node.op_type == 'Reshape':
            return [x.reshape(len(x), -1)]
        simple = {'Cast': lambda: x.astype(np.float32), 'Mul': lambda: x * given[1], 'Add': lambda: x + given[1],
                  'Tanh': lambda: np.tanh(x), 'Sigmoid': lambda: 1 / (1 + np.exp(-x)), 'Relu': lambda: np.maximum(x, 0)}
        return [simple[node.op_type]()]

    def test_formats_hold_the_same_integers(self):
        x = np.random.default_rng(1).uniform(0, 1, (50, *[d.dim_value for d in onnx.load(self.model).graph.input[0].type.tensor_type.shape.dim][1:]))
        np.save(self.folder / 'x.npy', x.astype(np.float32))
        for bits in ('w8a8', 'w8a5', 'w3a3', 'w4a1', 'w8a11'):
            outputs = []
            for form in ('qdq', 'qonnx'):
                self.quantize('--data', 'digits', '--calibration-samples', 50, '--bits', bits, '--format', form)
                self.assertIn('no float between', self.run_it('inspect', self.output).stdout)
                self.run_it('run', self.output, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy')
                outputs.append(np.load(self.folder / 'y.npy'))
            self.assertEqual(outputs[0].tobytes(), outputs[1].tobytes(), bits)

    def test_layers_by_name(self):
        recipe = self.folder / 'r.toml'
        recipe.write_text('[data]\ndata = "digits"\nsamples = 50\n[[layer]]\nname = "*"\nbits = 4\n[[tensor]]\nname = "<output>"\nbits = 16\n')
        self.quantize('--recipe', recipe)
        types = {tensor.data_type for tensor in self.tensors().values()}
        self.assertIn(22, types)  # INT4
        self.assertIn(5, types)  # INT16

    def test_layers_go_by_the_names_of_their_weights_whatever_moved(self):
        self.model = save_mlp(self.folder / 'relu.onnx', activation='Relu', bias=1.0)
        for method in ('equalize = true', 'smooth = 0.5', 'absorb_biases = true'):
            recipe = self.folder / 'r.toml'
            recipe.write_text(f'[data]\ndata = "digits"\nsamples = 50\n[methods]\n{method}\n[[layer]]\nname = "w2"\nbits = 4\n')
            self.quantize('--recipe', recipe)
            self.assertEqual(self.tensors()['w2_quantized'].data_type, 22, method)  # INT4

    def test_pixels_are_prepared_as_the_command_line_says(self):
        self.quantize('--data', 'digits', '--calibration-samples', 50, '--preset', 'tf')
        def prepared(*arguments):
            self.quantize('--recipe', self.folder / 'q.recipe.toml', *arguments, output=self.again)
            return {e.key: e.value for e in onnx.load(self.again).metadata_props}['halftone.preprocessing'], (self.folder / 'again.recipe.toml').read_text()
        said, recipe = prepared('--scale', 100, '--mean', 0.25, '--std', 2)
        self.assertNotIn('tf', said + recipe)
        self.assertIn('0.25', said)
        kept = self.folder / 'own.recipe.toml'
        kept.write_text(recipe)
        self.quantize('--recipe', kept, '--data', 'digits:train', output=self.again)
        self.assertIn('0.25', {e.key: e.value for e in onnx.load(self.again).metadata_props}['halftone.preprocessing'])

    def test_output_bits_are_those_of_the_scores(self):
        for last in (None, helper.make_node('Softmax', ['scores'], ['output'], 'soft')):
            self.model = save_mlp(self.folder / 'mlp.onnx', last=last)
            self.quantize('--data', 'digits', '--calibration-samples', 50, '--output-bits', 16)
            zeros = {name: t.data_type for name, t in self.tensors().items() if name.endswith('_zero_point') and not t.dims}
            self.assertEqual(zeros.pop('output_zero_point' if last is None else 'scores_zero_point'), 5)  # INT16
            self.assertEqual(set(zeros.values()), {3})  # INT8
            self.quantize('--recipe', self.folder / 'q.recipe.toml', output=self.again)
            self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
            self.assertEqual(json.loads(self.run_it('verify', self.output, '--data', 'digits', '--samples', 50, '--json').stdout)['unexplained'], 0)

    def test_what_is_read_is_not_written_over(self):
        self.quantize('--data', 'digits', '--calibration-samples', 50)
        recipe, ranges = self.folder / 'q.recipe.toml', self.folder / 'r.json'
        self.run_it('calibrate', self.model, '--data', 'digits', '--calibration-samples', 50, '-o', ranges)
        data = ('--data', 'digits')
        before = {name: (self.folder / name).read_bytes() for name in self.files()}
        for arguments in (('quantize', self.model, *data, '-o', self.model), ('quantize', self.model, '--ranges', ranges, '-o', ranges),
                          ('quantize', self.model, '--recipe', recipe, '-o', recipe), ('calibrate', self.model, *data, '-o', self.model),
                          ('quantize', self.model, *data, '-o', self.again, '--float-output', self.folder / 'again.recipe.toml'),
                          ('sweep', self.model, *data, '--bits', 'w8a8', '-o', self.folder / 't.csv', '--html', self.model),
                          ('sweep', self.model, *data, '--bits', 'w8a8', '-o', self.folder / 't.csv', '--json', self.folder / '.' / 'mlp.onnx'),
                          ('search', self.model, *data, '--html', self.model),
                          ('search', self.model, *data, '--max-drop', 1, '-o', self.again, '--html', self.folder / 'again.recipe.toml')):
            self.expect_error(*arguments, code=USAGE, says='expected')
        self.assertEqual({name: (self.folder / name).read_bytes() for name in self.files()}, before)

    def test_a_failure_leaves_no_float_network(self):
        ranges = self.folder / 'r.json'
        ranges.write_text('{}')
        self.refuses('--ranges', ranges, '--float-output', self.folder / 'f.onnx', code=BAD, says='is missing')

    def test_wrong_recipes(self):
        recipe = self.folder / 'r.toml'
        for text, says in (('[weights]\nbits = 0', 'line 2: weights.bits got 0'), ('x = [', 'line 1'), ('[[layer]]\nname = "none"', "'none' matches no layer"),
                           ('[data]\ndata = 3', 'data.data'), ('[data]\ncolour = "red"', 'data.colour is no setting'),
                           ('[file]\nformat = "zip"', 'expected qdq'), ('\x00', 'line 1'), ('#\na' + '.a' * 100000 + ' = 1', 'line 2 has more dots'),
                           ('a' + '.a' * 5000 + ' = 1', 'a is no part')):
            recipe.write_text(text)
            self.refuses('--recipe', recipe, '--data', 'digits', code=USAGE if 'matches' in says else BAD, says=says)
        recipe.write_text('')
        self.refuses('--recipe', recipe, '--bits', 'w4a4', '--data', 'digits', code=USAGE, says='--bits')
        self.refuses('--recipe', self.folder / 'none.toml', '--data', 'digits', code=BAD, says='No such file')
        for bits in ('w0a8', 'w17a8', 'w8a0', 'w8a17', 'a8', 'w8a8a', 'w-4a8', 'w999a8'):
            self.refuses('--bits', bits, '--data', 'digits', code=USAGE, says='')
        self.refuses('--adaround', '--error-feedback', '--data', 'digits', code=USAGE, says='--adaround')
        self.refuses('--adaround-steps', 5, '--data', 'digits', code=USAGE, says='--adaround')
        for size in ('group', 'group=0', 'group=x', 'group=123456789', 'row'):
            self.refuses('--granularity', size, '--data', 'digits', code=USAGE, says='--granularity')
        self.refuses('--granularity', 'group=8', '--arithmetic', 'onnx', '--data', 'digits', code=USAGE, says='by group')
        self.refuses('--granularity', 'group=8', '--format', 'qonnx', '--data', 'digits', code=BAD, says='--format qdq')
        for observer in ('fixed=1.5', 'fixed=99', 'fixed='):
            self.refuses('--observer', observer, '--data', 'digits', code=USAGE, says='fraction length')
            self.refuses('--weight-observer', observer, '--data', 'digits', code=USAGE, says='fraction length')
        self.refuses('--observer', 'kl=3', '--data', 'digits', code=USAGE, says='takes no number')
        for option, value in (('--rounding', 'up'), ('--bias-bits', 1), ('--bias-bits', 33), ('--bias-bits', 20)):
            self.refuses(option, value, '--data', 'digits', code=USAGE, says='bias' if 'bias' in option else option)
        for arguments in (['--bits', 'w9a8'], ['--bits', 'w1a8'], ['--error-feedback'], ['--granularity', 'group=8'], ['--asymmetric'],
                          ['--weight-observer', 'mse']):
            self.refuses('--codebook', 'kmeans', *arguments, '--data', 'digits', code=USAGE, says='')
        self.refuses('--codebook', 'log2', '--bits', 'w6a8', '--data', 'digits', code=USAGE, says='expected 2 to 5')
        self.refuses('--codebook', 'log2', '--bits', 'w4a8', '--format', 'qonnx', '--data', 'digits', code=BAD, says='--format qdq')
        for arguments in (['--rounding', 'half_up'], ['--bias-bits', 8]):
            self.refuses(*arguments, '--arithmetic', 'onnx', '--data', 'digits', code=USAGE, says='onnx')
        self.refuses('--bits', 'w4', '--observer', 'kl', '--data', 'digits', code=USAGE, says='stay float')
        self.refuses('--dynamic', '--observer', 'mse', '--data', 'digits', code=USAGE, says='--observer')
        self.refuses('--bits', 'w4', '--first-last', 'w8a8', '--data', 'digits', code=USAGE, says='--first-last')
        for arguments in (['--bits', 'w4', '--rounding', 'half_up'], ['--dynamic', '--bias-bits', 8], ['--dynamic', '--first-last', 'w8a4'],
                          ['--codebook', 'kmeans', '--first-last', 'w1a8'], ['--codebook', 'log2', '--bits', 'w4a8', '--full-range'],
                          ['--rounding', 'floor'], ['--bits', 'w1a8', '--full-range'], ['--bits', 'wta8', '--asymmetric'], ['--bits', 'w4', '--symmetric'],
                          ['--bits', 'w4', '--mantissa', 8], ['--dynamic', '--symmetric'], ['--bits', 'w8a1', '--symmetric'], ['--bits', 'w4', '--output-bits', 16],
                          ['--granularity', 'group=99999999'], ['--bits', 'w4', '--arithmetic', 'shift'], ['--dynamic', '--arithmetic', 'onnx'],
                          ['--asymmetric', '--first-last', 'w1a8']):
            self.refuses(*arguments, '--data', 'digits', code=USAGE, says='')
        self.refuses('--full-range', '--asymmetric', '--data', 'digits', code=USAGE, says='excludes')
        self.refuses('--bias-bits', 8, '--granularity', 'group=8', '--data', 'digits', code=USAGE, says='by group')
        self.refuses('--rounding', 'half_up', '--format', 'qonnx', '--data', 'digits', code=BAD, says='--format qdq')
        self.refuses('--bits', 'w8a6', '--format', 'qoperator', '--data', 'digits', code=BAD, says='--format qdq')
        self.refuses('--bias-bits', 8, '--format', 'qoperator', '--data', 'digits', code=BAD, says='--format qdq')


class Methods(Quantizations):
    """Those that change the float network before it is calibrated."""

    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'relu.onnx', activation='Relu', bias=3.0)

    def test_each_changes_the_file_and_its_recipe_makes_it_again(self):
        self.quantize('--data', 'digits', '--calibration-samples', 100)
        plain = self.output.read_bytes()
        for method in ('--smooth', '--smooth=0.8', '--absorb-biases', '--correct-bias=analytic', '--svd=4'):
            with self.subTest(method):
                self.quantize('--data', 'digits', '--calibration-samples', 100, method)
                self.assertNotEqual(self.output.read_bytes(), plain)
                self.quantize('--recipe', self.folder / 'q.recipe.toml', '--threads', 1, output=self.again)
                self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
                out = json.loads(self.run_it('verify', self.output, '--data', 'digits', '--samples', 100, '--json').stdout)
                self.assertEqual(out['unexplained'], 0)

    def test_a_method_without_effect_says_so(self):
        self.model = save_mlp(self.folder / 'tanh.onnx')
        for method, name in (('--smooth', 'smooth 0.5'), ('--equalize', 'equalize'), ('--absorb-biases', 'absorb-biases'), ('--svd=16', 'svd 16')):
            out = json.loads(self.quantize('--data', 'digits', '--calibration-samples', 50, method, '--json').stdout)
            self.assertEqual([note.split(':')[0] for note in out['notes']], [f'{name} changed nothing'])
        for arguments in (['--svd=4'], ['--correct-bias']):
            self.assertEqual(json.loads(self.quantize('--data', 'digits', '--calibration-samples', 50, *arguments, '--json').stdout)['notes'], [])

    def test_layers_without_a_bias_get_one_to_correct(self):
        self.model = save_mlp(self.folder / 'unbiased.onnx', bias=None)
        for method in ('--correct-bias', '--correct-bias=analytic'):
            self.quantize('--data', 'digits', '--calibration-samples', 50, '--bits', 'w3a8', '--correct-bias=none')
            self.assertEqual(sum(name.endswith('_bias_quantized') for name in self.tensors()), 0)
            self.quantize('--data', 'digits', '--calibration-samples', 50, '--bits', 'w3a8', method)
            biases = [numpy_helper.to_array(t) for name, t in self.tensors().items() if name.endswith('_bias_quantized')]
            self.assertEqual([bool(b.any()) for b in biases], [True, True])
            out = json.loads(self.run_it('verify', self.output, '--data', 'digits', '--samples', 100, '--json').stdout)
            self.assertEqual(out['unexplained'], 0)
            text = self.run_it('analyze', self.model, self.output, '--data', 'digits', '--samples', 50).stdout
            self.assertNotIn('try --correct-bias', text)

    def test_what_does_not_go_together(self):
        ranges = self.folder / 'ranges.json'
        self.run_it('calibrate', self.model, '--data', 'digits', '--calibration-samples', 20, '-o', ranges)
        self.refuses('--smooth', '--equalize', '--data', 'digits', code=USAGE, says='--equalize')
        for method in ('--smooth', '--absorb-biases'):
            self.refuses(method, '--bits', 'w8', code=USAGE, says='no samples')
            self.refuses(method, '--ranges', ranges, '--data', 'digits', code=USAGE, says='--ranges')
        self.refuses('--correct-bias=analytic', '--bits', 'w4', code=USAGE, says='no batch normalizations')
        self.refuses('--correct-bias=often', '--data', 'digits', code=USAGE, says='--correct-bias')
        for rank in ('1.5', '-1', 'nan'):
            self.refuses(f'--svd={rank}', '--data', 'digits', code=USAGE, says='svd')
            self.expect_error('calibrate', self.model, '--data', 'digits', '-o', self.again, f'--svd={rank}', code=USAGE, says='svd, got')
        for alpha in ('0', '1.5', '-1', 'nan', 'x'):
            self.refuses(f'--smooth={alpha}', '--data', 'digits', code=USAGE, says='smooth')


    def test_ranges_are_of_the_same_split(self):
        ranges = self.folder / 'split.json'
        self.run_it('calibrate', self.model, '--data', 'digits', '--calibration-samples', 100, '--svd', 4, '-o', ranges)
        self.quantize('--data', 'digits', '--calibration-samples', 100, '--svd', 4)
        self.quantize('--data', 'digits', '--calibration-samples', 100, '--svd', 4, '--ranges', ranges, output=self.again)
        self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
        self.again.unlink()
        (self.folder / 'again.recipe.toml').unlink()
        self.refuses('--ranges', ranges, '--svd', 5, code=BAD, says='made with --svd 4, got --svd 5')
        self.refuses('--ranges', ranges, code=BAD, says='--svd')


class CalibrationFiles(Quantizations):
    def calibrate(self, name, *arguments):
        path = self.folder / name
        self.run_it('calibrate', self.model, '--data', 'digits', '--calibration-samples', 101, '-o', path, *arguments)
        return path

    def test_parts_are_the_whole(self):
        self.quantize('--data', 'digits', '--calibration-samples', 101, '--observer', 'kl')
        whole = self.calibrate('whole.json')
        parts = [self.calibrate(f'part{i}.json', '--shard', f'{i}/4') for i in (3, 1, 4, 2)]
        for files in ([whole], parts):
            for data in ([], ['--data', 'digits'], ['--preset', 'mnist']):
                self.quantize('--ranges', *files, '--observer', 'kl', *data, output=self.again)
                self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
        self.assertEqual(whole.read_bytes(), self.calibrate('one.json', '--threads', 1).read_bytes())
        self.refuses('--ranges', parts[0], parts[0], code=BAD, says='sample')
        self.refuses('--ranges', parts[1], parts[3], code=BAD, says='of 101 samples, of which 50 to 100 are missing')
        self.refuses('--ranges', parts[0], code=BAD, says='0 to 49 are missing')

    def test_what_ranges_saw_and_samples_they_leave_unread(self):
        path = self.calibrate('r.json')
        few = self.run_it('quantize', self.model, '-o', self.output, '--ranges', path, '--observer', 'kl')
        self.assertRegex(few.stderr, r'^warning: .*kl saw 1,010 values .*in 101 samples.* 205 samples or more\n$')
        self.assertIn('ranges       of ' + str(path), few.stdout)
        self.assertNotIn('calibrated ', few.stdout)
        idle = self.run_it('quantize', self.model, '-o', self.output, '--ranges', path, '--data', 'digits')
        self.assertIn('note: the samples given were not read', idle.stdout)
        self.assertNotIn('calibrated ', idle.stdout)
        read = self.run_it('quantize', self.model, '-o', self.output, '--ranges', path, '--data', 'digits', '--error-feedback')
        self.assertIn('calibrated   on 1,024 samples', read.stdout)
        self.assertNotIn('not read', read.stdout)

    def test_the_recipe_holds_ranges_and_shapes(self):
        parts = [self.calibrate(f'part{i}.json', '--shard', f'{i}/2') for i in (1, 2)]
        self.quantize('--ranges', *parts, '--observer', 'kl', '--shape', 'input=2x1x28x28')
        self.quantize('--recipe', self.folder / 'q.recipe.toml', output=self.again)
        self.assertEqual(self.output.read_bytes(), self.again.read_bytes())
        self.quantize('--recipe', self.folder / 'q.recipe.toml', '--shape', 'input=Nx1x28x28', output=self.again)
        self.assertNotEqual(self.output.read_bytes(), self.again.read_bytes())
        self.refuses('--bits', 'w4', '--ranges', *parts, code=USAGE, says='--ranges')

    def preprocessing(self):
        return {p.key: p.value for p in onnx.load(self.output).metadata_props}.get('halftone.preprocessing')

    def test_how_pixels_are_prepared_goes_with_the_ranges(self):
        path = self.calibrate('r.json', '--preset', 'tf')
        self.quantize('--ranges', path)
        self.assertIn('tf', self.preprocessing())
        self.refuses('--ranges', path, '--preset', 'mnist', code=BAD, says="saw pixels prepared as 'name=tf")
        self.refuses('--ranges', path, self.calibrate('other.json', '--shard', '1/2'), code=BAD, says='saw pixels prepared as')
        content = json.loads(path.read_text())
        content['preprocessing'] = 'name=tf\nx'
        path.write_text(json.dumps(content))
        self.refuses('--ranges', path, code=BAD, says='r.json')
        del content['preprocessing']
        path.write_text(json.dumps(content))
        self.quantize('--ranges', path)
        self.assertIsNone(self.preprocessing())

    def test_options_of_pixels_count_without_samples(self):
        path = self.calibrate('r.json')
        for arguments in (['--bits', 'w8'], ['--ranges', path]):
            self.refuses(*arguments, '--preset', 'nonsense', code=USAGE, says='unknown preset')
            self.refuses(*arguments, '--mean', 'abc', code=USAGE, says='--mean')
            self.refuses(*arguments, '--resize', 10, code=USAGE, says='are for --images')
        self.quantize('--bits', 'w8', '--preset', 'imagenet')
        self.assertIn('imagenet', self.preprocessing())

    def test_a_range_set_by_hand(self):
        path = self.calibrate('r.json')
        content = json.loads(path.read_text())
        content['values']['input']['range'] = [-1, 3]
        path.write_text(json.dumps(content))
        self.quantize('--ranges', path)
        self.assertEqual(numpy_helper.to_array(self.tensors()['input_scale']), np.float32(4 / 255))
        content['values']['input']['range'] = [3, -1]
        path.write_text(json.dumps(content))
        self.refuses('--ranges', path, code=BAD, says='the smaller first')
        content['values']['input']['range'] = [0, 1e300]
        path.write_text(json.dumps(content))
        self.refuses('--ranges', path, code=BAD, says='that float32 holds')

    def test_wrong_files(self):
        path = self.calibrate('r.json')
        self.refuses('--ranges', path, '--equalize', code=BAD, says='was not equalized')
        other = save_mlp(self.folder / 'mlp2.onnx')
        damaged = self.folder / 'damaged.json'
        damaged.write_bytes(path.read_bytes()[:-100])
        self.refuses('--ranges', damaged, code=BAD, says='is no JSON')
        for shard in ('0/4', '5/4', '1', 'a/b', '1/0', '-1/4'):
            self.expect_error('calibrate', other, '--data', 'digits', '-o', self.again, '--shard', shard, code=USAGE, says='--shard')
        for shard in ('1/4', '4/4'):
            self.expect_error('calibrate', other, '--data', 'digits', '--calibration-samples', 2, '-o', self.again, '--shard', shard, code=USAGE, says='expected at most 2')
        self.run_it('calibrate', save_mlp(self.folder / 'relu.onnx', activation='Relu', last=helper.make_node('Relu', ['scores'], ['output'])), '--data', 'digits',
                    '--calibration-samples', 101, '--shard', '2/2', '-o', self.folder / 'other.json')
        first = self.calibrate('first.json', '--shard', '1/2')
        self.refuses('--ranges', first, self.folder / 'other.json', code=BAD, says='of one network')
        self.refuses('--ranges', first, self.calibrate('third.json', '--shard', '2/3'), code=BAD, says='of which another file saw some')


if __name__ == '__main__':
    unittest.main()
