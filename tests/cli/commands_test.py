#!/usr/bin/env python3
"""Every command on a small network and the built-in digits: what it prints, writes and returns."""
import json
import os
import subprocess
import time
import unittest

import numpy as np
from onnx import helper

from program import HALFTONE, ProgramTest, save_mlp


class Commands(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.int8 = self.folder / 'mlp.int8.onnx'

    def quantize(self, *arguments, output=None):
        return self.run_it('quantize', self.model, '--data', 'digits', '-o', output or self.int8, *arguments)

    def test_help_everywhere_with_an_example(self):
        self.assertIn('Example', self.run_it('--help').stdout)
        for command in ('model', 'bench', 'inspect', 'calibrate', 'quantize', 'evaluate', 'analyze', 'run', 'verify', 'number', 'search', 'sweep',
                        'export'):
            self.assertIn('Example', self.run_it(command, '--help').stdout, command)

    def test_starts_at_once_and_without_libtorch(self):
        linked = subprocess.run(['ldd', HALFTONE], capture_output=True, text=True).stdout
        self.assertNotIn('torch', linked)
        if os.environ.get('HALFTONE_SANITIZE'):
            return
        times = []
        for _ in range(20):
            start = time.perf_counter()
            subprocess.run([HALFTONE, '--version'], capture_output=True)
            times.append(time.perf_counter() - start)
        print(f'starts in {1000 * min(times):.1f} ms')

    def test_model_writes_networks_that_the_seed_decides(self):
        names = self.run_it('model', '--help').stdout
        for name in ('lenet', 'mlp', 'mobilenetv2', 'resnet18', 'squeezenet', 'vgg16'):
            self.assertIn(name, names)
        files = [self.folder / f'{i}.onnx' for i in range(3)]
        for name in ('mlp', 'squeezenet'):
            for file, seed in zip(files, (5, 5, 6)):
                self.run_it('model', name, '-o', file, '--seed', seed)
            self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
            self.assertNotEqual(files[0].read_bytes(), files[2].read_bytes())
        out = json.loads(self.run_it('inspect', files[0], '--json').stdout)
        self.assertEqual(out['parameter_bytes'], 4 * 1235496)
        self.assertEqual([side[0]['shape'] for side in (out['inputs'], out['outputs'])], ['Nx3x224x224', 'Nx1000'])

    def test_model_refuses_unknown_names(self):
        self.expect_error('model', 'resnet', '-o', self.folder / 'x.onnx', code=2, says='resnet18, squeezenet, vgg16')
        self.expect_error('model', 'mlp', '-o', self.folder / 'none' / 'x.onnx', code=3)
        self.assertEqual(self.files(), ['mlp.onnx'])

    def test_inspect(self):
        out = json.loads(self.run_it('inspect', self.model, '--json').stdout)
        self.assertFalse(out['quantized'])
        self.assertEqual([layer['op'] for layer in out['layers']], ['Flatten', 'Gemm', 'Tanh', 'Gemm'])
        self.assertEqual(out['layers'][1]['parameters'], 784 * 16 + 16)
        self.assertEqual(out['layers'][1]['multiply_adds'], 784 * 16)
        self.assertEqual(out['parameter_bytes'], 4 * (784 * 16 + 16 + 160))
        self.quantize()
        out = json.loads(self.run_it('inspect', self.int8, '--json').stdout)
        self.assertTrue(out['quantized'] and out['integer_only'])
        self.assertEqual(out['arithmetic'], 'fixed, 32-bit mantissa')

    def test_evaluate_lists_float_simulated_and_integer(self):
        self.quantize()
        rows = json.loads(self.run_it('evaluate', self.model, self.int8, '--data', 'digits', '--samples', 500, '--json').stdout)
        self.assertEqual([row['mode'] for row in rows], ['float', 'simulated', 'integer'])
        for row in rows:
            self.assertEqual(row['samples'], 500)
            self.assertEqual(row['accuracy'], round(row['accuracy'], 2))
        self.assertEqual(rows[2]['integer_macs'], 784 * 16 + 160)
        self.assertEqual(rows[2]['float_macs'], 0)
        self.assertEqual(rows[0]['bytes'], self.model.stat().st_size)
        self.assertEqual(rows[2]['bytes'], self.int8.stat().st_size)

    def test_evaluate_computes_only_what_is_asked_for(self):
        self.quantize()

        def modes(only, *models):
            rows = json.loads(self.run_it('evaluate', *models, '--data', 'digits', '--samples', 50, '--json', '--only', only).stdout)
            return [row['mode'] for row in rows]

        both = (self.model, self.int8)
        for only, expected in (('float', ['float']), ('simulated', ['simulated']), ('integer', ['integer']), ('integer,float', ['float', 'integer'])):
            self.assertEqual(modes(only, *both), expected)
        self.assertEqual(modes('integer', self.int8), ['integer'])
        text = self.run_it('evaluate', *both, '--data', 'digits', '--samples', 50, '--only', 'integer').stdout
        self.assertNotIn('simulated', text)
        self.assertNotIn('class as the first', text)
        error = self.run_it('evaluate', self.int8, '--data', 'digits', '--samples', 50, '--only', 'integer', '--reference', self.model).stdout
        self.assertIn('relative RMS error', error)
        for only, models in (('integers', both), ('float,float', both), ('float,', both), ('float', [self.int8]), ('simulated,integer', [self.model])):
            self.expect_error('evaluate', *models, '--data', 'digits', '--only', only, code=2, says='[--only]')

    def test_two_quantizations_give_the_same_bytes_with_one_thread_or_two(self):
        self.quantize('--threads', 1)
        other = self.folder / 'other.onnx'
        self.quantize('--threads', 2, output=other)
        self.assertEqual(self.int8.read_bytes(), other.read_bytes())
        self.quantize('--threads', 2)
        self.assertEqual(self.int8.read_bytes(), other.read_bytes())

    def test_every_recipe_verifies(self):
        for arguments in ([], ['--granularity', 'tensor'], ['--symmetric'], ['--asymmetric'], ['--arithmetic', 'shift'],
                          ['--arithmetic', 'shift', '--granularity', 'tensor', '--symmetric'], ['--arithmetic', 'onnx'],
                          ['--mantissa', '16'], ['--mantissa', '8'], ['--power-of-two']):
            with self.subTest(arguments):
                self.quantize('--calibration-samples', 100, *arguments)
                out = json.loads(self.run_it('verify', self.int8, '--data', 'digits', '--samples', 100, '--json').stdout)
                self.assertEqual(out['unexplained'], 0)
                self.assertEqual(out['compared'], 100 * (784 + 784 + 16 + 16 + 10))
                self.assertIn('worst_layer', out)

    def test_run_on_arrays(self):
        self.quantize()
        x = np.random.default_rng(0).random((3, 1, 28, 28), np.float32)
        np.save(self.folder / 'x.npy', x)
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy', '--dump', self.folder / 'values')
        y = np.load(self.folder / 'y.npy')
        self.assertEqual(y.shape, (3, 10))
        values = {p.stem: np.load(p) for p in (self.folder / 'values').iterdir()}
        self.assertEqual(values['input_quantized'].dtype, np.int8)
        self.assertEqual(values['output_quantized'].shape, (3, 10))
        np.testing.assert_array_equal(values['output'], y)
        np.save(self.folder / 'x.npy', x[0])
        self.run_it('run', self.int8, '--input', self.folder / 'x.npy', '--output', self.folder / 'y0.npy')
        np.testing.assert_array_equal(np.load(self.folder / 'y0.npy'), y[:1])

    def test_run_on_pixels_prepares_them_as_the_file_says(self):
        self.quantize()
        pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 28, 28), np.uint8)
        np.save(self.folder / 'p.npy', pixels)
        np.save(self.folder / 'x.npy', pixels.astype(np.float32) / np.float32(255))
        for name in 'px':
            self.run_it('run', self.int8, '--input', self.folder / f'{name}.npy', '--output', self.folder / f'{name}.y.npy')
        np.testing.assert_array_equal(np.load(self.folder / 'p.y.npy'), np.load(self.folder / 'x.y.npy'))

    def test_run_shows_an_image_with_its_prediction(self):
        out = self.run_it('run', self.model, '--data', 'digits', '--index', 3).stdout
        self.assertIn('labelled', out)
        self.assertIn('@', out)

    def test_a_float_node_is_reported_and_counted(self):
        model = save_mlp(self.folder / 'softmax.onnx', last=helper.make_node('Softmax', ['scores'], ['output'], 'probabilities'))
        out = json.loads(self.run_it('quantize', model, '--data', 'digits', '-o', self.int8, '--json').stdout)
        self.assertEqual([node['node'] for node in out['float_nodes']], ['probabilities'])
        rows = json.loads(self.run_it('evaluate', self.int8, '--data', 'digits', '--samples', 10, '--json').stdout)
        self.assertEqual(rows[1]['float_nodes'], 1)

    def test_no_progress_is_drawn_into_a_pipe(self):
        self.expect_no_progress(self.quantize())

    def test_training_without_it_is_one_line(self):
        if os.path.exists(os.path.join(os.path.dirname(HALFTONE), 'halftone-train')):
            self.skipTest('this build has training')
        self.expect_error('train', 'mlp', '--data', 'digits', '-o', self.folder / 't.onnx', code=3, says='the program that trains')


if __name__ == '__main__':
    unittest.main()
