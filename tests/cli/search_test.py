#!/usr/bin/env python3
"""`halftone search`: bits of every layer under a budget."""
import json
import unittest
import xml.etree.ElementTree as xml

import numpy as np
from onnx import helper

from program import ProgramTest, save

USAGE, BAD, NO = 2, 3, 1


class SearchTest(ProgramTest):
    """8-12-6-4 with ReLU; labels are what the float network says, so that accuracy in float is 100 %."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        shapes = {'w1': (12, 8), 'b1': 12, 'w2': (6, 12), 'b2': 6, 'w3': (4, 6), 'b3': 4}
        self.weights = {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
        self.model = self.save_net('net.onnx')
        x = random.normal(0, 1, (900, 8)).astype(np.float32)
        h = x
        for i in (1, 2, 3):
            h = h @ self.weights[f'w{i}'].T + self.weights[f'b{i}']
            h = np.maximum(h, 0) if i < 3 else h
        self.data = self.folder / 'set.npz'
        np.savez(self.data, x_train=x[:800], y_train=h[:800].argmax(1), x_test=x[800:], y_test=h[800:].argmax(1))
        self.best = self.folder / 'best.onnx'

    def save_net(self, name, names=('fc1', 'fc2', 'fc3')):
        nodes = [helper.make_node('Gemm', ['x', 'w1', 'b1'], ['h1'], names[0], transB=1), helper.make_node('Relu', ['h1'], ['a1'], 'relu1'),
                 helper.make_node('Gemm', ['a1', 'w2', 'b2'], ['h2'], names[1], transB=1), helper.make_node('Relu', ['h2'], ['a2'], 'relu2'),
                 helper.make_node('Gemm', ['a2', 'w3', 'b3'], ['y'], names[2], transB=1)]
        return save(self.folder / name, nodes, self.weights, inputs=(('x', ['N', 8]),), outputs=(('y', ['N', 4]),))

    def arguments(self, *more, calibration=100):
        return ('search', self.model, '--data', self.data, '--calibration-samples', calibration, *more)

    def search(self, *more, code=0):
        return json.loads(self.run_it(*self.arguments('--json', *more), code=code).stdout)

    def refused(self, *more, code=USAGE, says=''):
        before = self.files()
        self.expect_error(*self.arguments(*more), code=code, says=says)
        self.assertEqual(self.files(), before)


class Front(SearchTest):
    def check_front(self, out):
        front = out['front']
        for a, b in zip(front, front[1:]):
            self.assertLess(a['cost'], b['cost'])
            self.assertGreater(a['harm'], b['harm'])
        slopes = [(b['harm'] - a['harm']) / (b['cost'] - a['cost']) for a, b in zip(front, front[1:])]
        self.assertEqual(slopes, sorted(slopes))
        for point in front:
            self.assertAlmostEqual(point['cost'], sum(layer['cost'] for layer in point['layers']), delta=1e-6 * point['cost'])
            self.assertAlmostEqual(point['ratio'], point['cost'] / out['start']['cost'])
        self.assertIn('drop', front[0])
        self.assertIn('drop', front[-1])

    def test_bytes_are_of_packed_weights_biases_and_scales(self):
        out = self.search()
        self.check_front(out)
        self.assertEqual((out['calibration_samples'], out['harm_samples'], out['samples']), (100, 350, 350))
        self.assertEqual(out['start']['cost'], 96 + 72 + 24 + (12 + 6 + 4) * 8)
        cheapest = out['front'][0]
        self.assertEqual([layer['weight_bits'] for layer in cheapest['layers']], [2, 2, 2])
        self.assertEqual(cheapest['cost'], 24 + 18 + 6 + 22 * 8)
        self.assertEqual({layer['input_bits'] for point in out['front'] for layer in point['layers']}, {8})
        self.assertEqual(out['float_accuracy'], 100)

    def test_bit_operations_and_energy_choose_activations_too(self):
        for budget in ('bitops', 'energy'):
            out = self.search('--budget', budget)
            self.check_front(out)
            self.assertEqual({layer['input_bits'] for point in out['front'] for layer in point['layers']}, {4, 8})
        bitops = self.search('--budget', 'bitops', '--weights', '4,8')
        self.assertEqual(bitops['start']['cost'], (96 + 72 + 24) * 64)
        self.assertEqual(bitops['front'][0]['cost'], (96 + 72 + 24) * 16)

    def test_is_the_same_for_any_number_of_threads(self):
        results = [self.search('--threads', n, '--budget', 'energy', '--max-drop', 6, '--error-feedback') for n in (1, 3)]
        self.assertEqual(*results)

    def test_test_samples_change_nothing(self):
        before = self.search('--max-drop', 6)
        arrays = dict(np.load(self.data))
        arrays['x_test'] += 1
        arrays['y_test'][:] = 0
        np.savez(self.data, **arrays)
        self.assertEqual(self.search('--max-drop', 6), before)

    def test_layers_that_a_rule_names_keep_their_bits(self):
        out = self.search('--first-last', 'w8a8', '--budget', 'bitops')
        for point in out['front']:
            self.assertEqual([point['layers'][i]['weight_bits'] for i in (0, 2)], [8, 8])
            self.assertEqual([point['layers'][i]['input_bits'] for i in (0, 2)], [8, 8])
        self.assertEqual({point['layers'][1]['weight_bits'] for point in out['front']} & {2, 8}, {2, 8})

    def test_prints_and_draws_it(self):
        page = self.folder / 's.html'
        done = self.run_it(*self.arguments('--html', page))
        self.expect_no_progress(done)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], 'cost +of w8a8 +predicted harm +drop in points +accuracy')
        self.assertIn('none chosen', lines[-1])
        text = page.read_text()
        figure = text[text.index('<svg'):text.index('</svg>') + 6]
        circles = [e for e in xml.fromstring(figure).iter() if e.tag.endswith('circle')]
        self.assertEqual(len(circles), len(lines) - 6)
        for outside in ('http://', 'https://', '<script', '<link'):
            self.assertNotIn(outside, text.replace('http://www.w3.org/2000/svg', ''))


class Time(SearchTest):
    def test_inputs_of_16_bits_have_a_time_of_their_own(self):
        out = self.search('--budget', 'time', '--max-drop', 100, '-o', self.best)
        self.assertEqual({layer['weight_bits'] for point in out['front'] for layer in point['layers']}, {8})
        self.assertLessEqual({layer['input_bits'] for point in out['front'] for layer in point['layers']}, {8, 16})
        self.assertGreater(out['start']['cost'], 0)
        for point in out['front']:
            self.assertAlmostEqual(point['cost'], out['start']['cost'] + sum(layer['cost'] for layer in point['layers']), delta=1e-6)
            if all(layer['input_bits'] == 8 for layer in point['layers']):
                self.assertEqual(point['ratio'], 1)
        self.assertGreater(out['chosen']['measured_ms'], 0)
        self.assertEqual(out['warnings'], [])
        self.run_it('verify', self.best, '--data', self.data, '--samples', 20)

    def test_says_that_fewer_bits_save_no_time(self):
        out = self.search('--budget', 'time', '--weights', '2,4,8', '--activations', '8')
        self.assertEqual([[layer['weight_bits'] for layer in point['layers']] for point in out['front']], [[8, 8, 8]])
        self.assertEqual(out['front'][0]['cost'], out['start']['cost'])
        self.assertIn('no choice of bits here changes the time', out['warnings'][-1])
        done = self.run_it(*self.arguments('--budget', 'time', '--weights', '4,8', '--activations', '8,16', '--limit', '1000%'))
        self.assertIn('among them harm alone decides', done.stderr)
        self.assertIn('times on this machine', done.stdout)
        self.assertIn('measured itself: ', done.stdout)

    def test_a_limit_is_of_milliseconds(self):
        self.refused('--budget', 'time', '--limit', '1e-9', '-o', self.best, says='ms, expected at least')


class Chosen(SearchTest):
    def check_reproduced(self, *more):
        again = self.folder / 'again.onnx'
        self.run_it('quantize', self.model, '--recipe', self.folder / 'best.recipe.toml', '-o', again, *more)
        self.assertEqual(again.read_bytes(), self.best.read_bytes())
        self.assertEqual((self.folder / 'again.recipe.toml').read_text(), (self.folder / 'best.recipe.toml').read_text())

    def test_max_drop_holds_and_the_recipe_makes_the_same_bytes(self):
        for more in ((), ('--budget', 'bitops'), ('--budget', 'energy', '--error-feedback', '--correct-bias', '--weight-observer', 'mse'),
                     ('--arithmetic', 'shift', '--format', 'qoperator')):
            out = self.search('--max-drop', 6, '-o', self.best, *more)
            self.assertLessEqual(out['chosen']['drop'], 6, more)
            self.assertEqual(out['chosen']['bytes'], self.best.stat().st_size)
            cheaper = [p['drop'] for p in out['front'][:out['chosen']['point']] if 'drop' in p]
            self.assertTrue(all(drop > 6 - 1 for drop in cheaper), (more, cheaper))
            self.check_reproduced()
            rows = json.loads(self.run_it('evaluate', self.model, self.best, '--data', f'{self.data}:test', '--json').stdout)
            self.assertGreater(rows[2]['accuracy'], 85, more)
            recipe = (self.folder / 'best.recipe.toml').read_text()
            for layer in out['chosen']['layers']:
                part = recipe[recipe.index(f"name = '{layer['name']}'"):]
                self.assertIn(f'bits = {layer["weight_bits"]}\n', part.split('[[')[0])

    def test_a_looser_drop_costs_no_more(self):
        costs = [self.search('--max-drop', drop)['chosen']['cost'] for drop in (5, 10, 25)]
        self.assertEqual(costs, sorted(costs, reverse=True))
        self.assertLess(costs[-1], costs[0])

    def test_limit_takes_the_best_within_it(self):
        for limit, most in (('250', 250), ('80%', 0.8 * 368), ('1e9', 1e9)):
            out = self.search('--limit', limit, '-o', self.best)
            self.assertLessEqual(out['chosen']['cost'], most)
            beyond = out['front'][out['chosen']['point'] + 1:]
            self.assertTrue(all(point['cost'] > most for point in beyond))
            self.check_reproduced()

    def test_methods_that_put_in_nodes_keep_layers_and_bits_together(self):
        self.weights['b1'] += 4
        layers = [helper.make_node('Gemm', ['x', 'w1', 'b1'], ['h1'], 'fc1', transB=1), helper.make_node('Clip', ['h1', 'zero', 'six'], ['a1'], 'relu6'),
                  helper.make_node('Gemm', ['a1', 'w2', 'b2'], ['h2'], 'fc2', transB=1), helper.make_node('Relu', ['h2'], ['a2'], 'relu2'),
                  helper.make_node('Gemm', ['a2', 'w3', 'b3'], ['y'], 'fc3', transB=1)]
        self.model = save(self.folder / 'relu6.onnx', layers, {**self.weights, 'zero': np.float32(0), 'six': np.float32(6)},
                          inputs=(('x', ['N', 8]),), outputs=(('y', ['N', 4]),))
        out = self.search('--absorb-biases', '--max-drop', 100, '-o', self.best)
        self.assertEqual([layer['name'] for layer in out['front'][0]['layers']], ['fc1', 'fc2', 'fc3'])
        again = self.folder / 'again.onnx'
        self.run_it('quantize', self.model, '--recipe', self.folder / 'best.recipe.toml', '-o', again)
        self.assertEqual(self.best.read_bytes(), again.read_bytes())

    def test_layers_without_names_of_their_own_go_by_their_weights(self):
        self.model = self.save_net('net.onnx', names=('fc', 'fc', ''))
        self.search('--max-drop', 6, '-o', self.best)
        self.assertIn("name = 'w2'", (self.folder / 'best.recipe.toml').read_text())
        self.check_reproduced()

    def test_what_no_assignment_holds_is_answered_no_and_nothing_is_written(self):
        before = self.files()
        done = self.run_it(*self.arguments('--weights', '2,3', '--max-drop', 0, '-o', self.best), code=NO)
        self.assertIn('no assignment of the front loses at most 0 points', done.stdout)
        self.assertEqual(self.files(), before)

    def test_the_table_of_layers(self):
        done = self.run_it(*self.arguments('--max-drop', 6, '-o', self.best))
        self.assertRegex(done.stdout, r'layer +bits w +bits a +cost +share')
        for name in ('fc1', 'fc2', 'fc3'):
            self.assertRegex(done.stdout, rf'(?m)^{name} +\d +8 ')
        self.assertIn('* ', done.stdout)


class Refusals(SearchTest):
    def test_options_that_make_no_sense(self):
        for more, says in ((('-o', self.best), 'neither --max-drop nor --limit'), (('--max-drop', -1), '--max-drop'),
                           (('--max-drop', 'x'), '--max-drop'), (('--max-drop', 1, '--limit', '50%'), '--limit'),
                           (('--max-drop', 'nan'), '--max-drop'), (('--limit', '0'), '--limit'), (('--limit', '5kB'), '--limit'),
                           (('--limit', '%'), '--limit'), (('--limit', '10'), 'expected at least 224 B'),
                           (('--limit', '1%'), 'expected at least'), (('--weights', '1-4'), '--weights'), (('--weights', '4,17'), '--weights'),
                           (('--weights', ''), '--weights'), (('--activations', '17'), '--activations'), (('--budget', 'watts'), '--budget'),
                           (('--bits', 'w4'), '[search] of w4'), (('--bits', 'w1a8'), 'weights of 2 bits or more'),
                           (('--codebook', 'kmeans'), '--codebook'), (('--dynamic',), '--dynamic'), (('--samples', 0), '--samples'),
                           (('--harm-samples', 0), '--harm-samples'), (('--scores', 'z'), "no output 'z'")):
            self.refused(*more, says=says)
        self.expect_error('search', self.model, '--data', f'{self.data}:test', code=USAGE, says='expected training samples')
        self.expect_error('search', self.model, code=USAGE)

    def test_a_format_that_cannot_hold_the_bits_is_refused_before_any_work(self):
        self.refused('--max-drop', 1, '--weights', '2,4', '--format', 'qoperator', '-o', self.best, code=BAD, says='--format qdq')

    def test_networks_and_data_that_will_not_do(self):
        self.refused('--weights', '8', code=BAD, says='no layer has a choice')
        self.expect_error(*self.arguments(calibration=795), code=BAD, says='fewer --calibration-samples leave more')
        self.refused('--max-drop', 1, '-o', self.folder / 'none' / 'x.onnx', code=BAD)
        self.refused('--html', self.folder / 'none' / 'x.html', code=BAD)
        arrays = dict(np.load(self.data))
        unlabelled = self.folder / 'x.npz'
        np.savez(unlabelled, x_train=arrays['x_train'])
        self.expect_error('search', self.model, '--data', unlabelled, code=BAD, says='no labels')
        self.run_it('quantize', self.model, '--data', self.data, '-o', self.best)
        self.expect_error('search', self.best, '--data', self.data, code=BAD, says='quantized already')
        floating = save(self.folder / 'f.onnx', [helper.make_node('Gemm', ['x', 'w3', 'b3'], ['h'], 'fc', transB=1),
                                                 helper.make_node('Softmax', ['h'], ['s'], 'soft'), helper.make_node('Relu', ['s'], ['y'], 'r')],
                        {k: self.weights[k] for k in ('w3', 'b3')}, inputs=(('x', ['N', 6]),), outputs=(('y', ['N', 4]),))
        self.expect_error('search', floating, '--data', self.data, code=BAD, says='--allow-float')


if __name__ == '__main__':
    unittest.main()
