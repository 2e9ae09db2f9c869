#!/usr/bin/env python3
"""halftone analyze: what it prints and writes, and what it refuses before any work."""
import json
import re
import unittest
import xml.etree.ElementTree

import numpy as np
import onnx
from onnx import helper

from program import PLAIN, ProgramTest, save, save_mlp

USAGE, BAD = 2, 3


class Analyze(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.quantized = self.quantize()

    def path(self, name):
        return self.folder / name

    def quantize(self, *arguments, model=None, name='q.onnx'):
        self.run_it('quantize', model or self.model, '--data', 'digits', '--calibration-samples', 100, '-o', self.path(name), *arguments)
        return self.path(name)

    def analyze(self, *arguments, model=None, quantized=None, data='digits'):
        return self.run_it('analyze', model or self.model, quantized or self.quantized, '--data', data, '--samples', 60, *arguments)

    def as_json(self, *arguments, **models):
        return json.loads(self.analyze('--json', '-', *arguments, **models).stdout)

    def test_prints_layers_then_advice_then_accuracy(self):
        done = self.analyze()
        self.expect_no_progress(done)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith('layer  bits'))
        self.assertEqual([line.split()[:2] for line in lines[2:4]], [['fc1', 'w8a8'], ['fc2', 'w8a8']])
        self.assertTrue(any(line.startswith('what to try next') for line in lines))
        self.assertRegex(lines[-1], r'^accuracy \d+\.\d\d % float, \d+\.\d\d % quantized \(simulated\); output error .*; 60 samples of digits$')

    def test_json_has_everything(self):
        out = self.as_json()
        self.assertEqual([layer['name'] for layer in out['layers']], ['fc1', 'fc2'])
        self.assertEqual([tensor['name'] for tensor in out['activations']], ['input', 'flat', 'h', 'a', 'output'])
        for tensor in out['activations'] + [layer['weights'] for layer in out['layers']]:
            self.assertEqual(sum(tensor['histogram']['counts']), tensor['count'])
            self.assertEqual(len(tensor['histogram']['counts']), 64)
            self.assertEqual([tensor['histogram']['lo'], tensor['histogram']['hi']], tensor['range'])
            low, high = tensor['range']
            self.assertAlmostEqual(tensor['range_to_three_sigma'], (high - low) / (6 * tensor['sigma']))
            for key in ('sqnr_db', 'cosine', 'saturated', 'range_used', 'three_sigma', 'clip', 'mean'):
                self.assertIn(key, tensor)
        for layer in out['layers']:
            for part in ('weights', 'activation', 'bias', 'requantization'):
                self.assertIn('accuracy_drop', layer['harm'][part])
                self.assertGreaterEqual(layer['harm'][part]['output_error'], 0)
        self.assertEqual(layer['harm']['bias']['output_error'], 0)  # fc2 has none
        self.assertEqual(sorted(r['layer'] for r in out['ranking']), ['fc1', 'fc2'])

    def test_weights_are_measured_as_numpy_does(self):
        out = self.as_json(quantized=self.quantize('--bits', 'w4a8', *PLAIN))
        w = onnx.numpy_helper.to_array(next(t for t in onnx.load(str(self.model)).graph.initializer if t.name == 'w1')).astype(np.float64)
        s = (np.abs(w).max(1, keepdims=True) / 7).astype(np.float32).astype(np.float64)
        error = w - s * np.clip(np.rint(w / s), -7, 7)
        weights = out['layers'][0]['weights']
        self.assertAlmostEqual(weights['sqnr_db'], 10 * np.log10((w ** 2).sum() / (error ** 2).sum(), ), places=3)
        self.assertEqual((weights['bits'], weights['scales'], weights['saturated']), (4, 16, 0))

    def test_files_are_written_beside_the_text(self):
        text = self.analyze().stdout
        done = self.analyze('--json', self.path('a.json'), '--html', self.path('a.html'))
        self.assertEqual(done.stdout, text)
        self.assertEqual(json.loads(self.path('a.json').read_text()), self.as_json())
        page = xml.etree.ElementTree.parse(self.path('a.html')).getroot()
        self.assertEqual(len(page.findall('.//{http://www.w3.org/2000/svg}svg')), 2 + 5 + 2)
        self.assertIsNone(re.search(r'(src|href)=|url\(', self.path('a.html').read_text()))

    def test_one_thread_or_two_say_the_same(self):
        self.assertEqual(self.analyze('--json', '-', '--threads', 1).stdout, self.analyze('--json', '-', '--threads', 2).stdout)

    def test_names_are_not_markup(self):
        name = '<b>&"'
        random = np.random.default_rng(2)
        model = save(self.path('odd.onnx'), [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'),
                                             helper.make_node('Gemm', ['flat', name], ['output'], name, transB=1)],
                     {name: random.normal(0, 0.1, (10, 784)).astype(np.float32)})
        self.analyze('--html', self.path('a.html'), model=model, quantized=self.quantize(model=model))
        xml.etree.ElementTree.parse(self.path('a.html'))
        self.assertNotIn('<b>', self.path('a.html').read_text())

    def test_the_layer_that_was_made_bad_comes_first(self):
        out = self.as_json(quantized=self.quantize('--bits', 'w2a8', '--granularity', 'tensor', '--first-last', 'w2a8'))
        self.assertEqual(out['ranking'][0]['worst_part'], 'weights')
        self.assertEqual(out['ranking'][0]['advice'][0]['options'], '--granularity channel')

    def test_advice_names_options_that_quantize_has(self):
        known = self.run_it('quantize', '--help').stdout
        for arguments in (['--bits', 'w2a2'], ['--bits', 'w4a8'], ['--observer', 'percentile=80'], ['--granularity', 'tensor', '--bits', 'w3a8'],
                          ['--bits', 'w4a4', '--error-feedback', '--correct-bias']):
            out = self.as_json(quantized=self.quantize(*arguments))
            for ranked in out['ranking']:
                for advice in ranked['advice']:
                    for option in re.findall(r'--[a-z-]+', advice['options']):
                        self.assertIn(option, known)

    def test_without_labels_there_are_no_accuracies(self):
        np.save(self.path('x.npy'), np.random.default_rng(0).random((40, 1, 28, 28), np.float32))
        done = self.analyze(data=self.path('x.npy'))
        self.assertNotIn('accuracy', done.stdout)
        out = self.as_json(data=self.path('x.npy'))
        self.assertNotIn('float_accuracy', out)
        self.assertNotIn('accuracy_drop', json.dumps(out))

    def test_weights_alone_in_integers(self):
        out = self.as_json(quantized=self.quantize('--bits', 'w4', '--allow-float'))
        self.assertEqual(out['activations'], [])
        for layer in out['layers']:
            self.assertEqual(layer['harm']['requantization']['output_error'], 0)
            self.assertEqual(layer['harm']['output_error'], layer['harm']['weights']['output_error'])

    def test_weights_of_a_codebook_have_the_bits_of_its_places(self):
        for kind, bits in (('kmeans', 3), ('log2', 4)):
            out = self.as_json(quantized=self.quantize('--bits', f'w{bits}a8', '--codebook', kind))
            self.assertEqual([layer['weights']['bits'] for layer in out['layers']], [bits, bits])
            for ranked in out['ranking']:
                for advice in ranked['advice']:
                    self.assertNotIn('make up for errors', advice['reason'])
                    self.assertNotIn('--adaround', advice['options'])

    def test_a_network_that_methods_changed_is_compared_with_what_they_made_of_it(self):
        layers = [helper.make_node('Conv', ['input', 'w1', 'b1'], ['c1'], 'conv1', kernel_shape=[5, 5], strides=[3, 3]),
                  helper.make_node('Clip', ['c1', 'zero', 'six'], ['r1'], 'relu6'),
                  helper.make_node('Conv', ['r1', 'w2', 'b2'], ['c2'], 'conv2', kernel_shape=[3, 3]),
                  helper.make_node('Relu', ['c2'], ['r2'], 'relu'), helper.make_node('Flatten', ['r2'], ['flat'], 'flatten'),
                  helper.make_node('Gemm', ['flat', 'w3'], ['output'], 'scores')]
        random = np.random.default_rng(4)
        uneven = np.geomspace(0.05, 5, 8).astype(np.float32)
        model = save(self.path('conv.onnx'), layers, {
            'w1': random.normal(0, 0.2, (8, 1, 5, 5)).astype(np.float32) * uneven.reshape(8, 1, 1, 1), 'b1': uneven * 4,
            'w2': random.normal(0, 0.1, (8, 8, 3, 3)).astype(np.float32), 'b2': np.full(8, 0.5, np.float32), 'w3': random.normal(0, 0.1, (288, 10)).astype(np.float32),
            'zero': np.float32(0), 'six': np.float32(6)})
        for method, made in (('--equalize', 'equalize'), ('--smooth=0.75', 'smooth 0.75'), ('--svd=0.9', 'svd 0.9'),
                             ('--absorb-biases', 'absorb-biases')):
            quantized = self.quantize(method, '--float-output', self.path('changed.onnx'), model=model)
            done = self.analyze(model=self.path('changed.onnx'), quantized=quantized)
            self.assertLess(float(re.search(r'output error of the whole network ([0-9.]+) %', done.stdout)[1]), 5, method)
            self.expect_error('analyze', model, quantized, '--data', 'digits', code=BAD, says=f'the one changed by {made} that the quantized one was made of')
        self.expect_error('quantize', model, '--data', 'digits', '--smooth', '--float-output', model, '-o', self.path('q.onnx'), code=USAGE, says='is a file that is read')
        self.expect_error('quantize', model, '--data', 'digits', '--float-output', self.path('no/where.onnx'), '-o', self.path('q.onnx'), code=BAD, says='cannot write')

    def test_models_that_do_not_go_together_are_refused(self):
        def refused(first, second, says):
            self.expect_error('analyze', first, second, '--data', 'digits', '--html', self.path('a.html'), code=BAD, says=says)
            self.assertNotIn('a.html', self.files())
        refused(self.model, self.model, 'is a float model, expected a quantized one')
        refused(self.quantized, self.quantized, 'is quantized already, expected a float model')
        refused(self.quantized, self.model, 'expected FLOAT, then QUANTIZED')
        refused(save_mlp(self.path('other.onnx'), seed=2), self.quantized, "Gemm 'fc1'")
        refused(save_mlp(self.path('longer.onnx'), last=helper.make_node('Relu', ['scores'], ['output'], 'relu')), self.quantized, 'got 4 nodes besides conversions, expected 5 as the float model has')
        refused(self.path('missing.onnx'), self.quantized, 'missing.onnx')
        refused(self.model, self.quantize('--format', 'qoperator', '--arithmetic', 'onnx', name='qop.onnx'), 'expected pairs')

    def test_a_nan_is_named_by_layer_and_sample(self):
        x = np.zeros((40, 1, 28, 28), np.float32)
        x[17, 0, 3, 3] = np.nan
        np.save(self.path('x.npy'), x)
        self.expect_error('analyze', self.model, self.quantized, '--data', self.path('x.npy'), code=BAD, says="[layer 'fc1'] sample 17, got not a number (NaN)")

    def test_an_empty_set_is_refused(self):
        np.save(self.path('x.npy'), np.zeros((0, 1, 28, 28), np.float32))
        self.expect_error('analyze', self.model, self.quantized, '--data', self.path('x.npy'), code=BAD, says='of shape 0x1x28x28, expected a row for each')

    def test_outputs_that_cannot_be_written_are_refused_before_any_work(self):
        def refused(*arguments, code, says):
            self.expect_error('analyze', self.model, self.quantized, '--data', 'digits', *arguments, code=code, says=says)
        before = self.model.read_bytes()
        refused('--html', self.model, code=USAGE, says='is a file that is read')
        refused('--json', self.quantized, code=USAGE, says='is a file that is read')
        refused('--html', self.path('none') / 'a.html', code=BAD, says='cannot write')
        refused('--json', self.path('a'), '--html', self.path('a'), code=USAGE, says='given for two outputs')
        refused('--html', '-', code=USAGE, says='expected a file name')
        self.assertEqual(self.model.read_bytes(), before)


if __name__ == '__main__':
    unittest.main()
