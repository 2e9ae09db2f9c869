#!/usr/bin/env python3
"""`halftone sweep`: tables of fixed-point weights and of calibrated integers, and going on where one was stopped."""
import json
import re
import subprocess
import time
import unittest
import xml.etree.ElementTree as xml

import numpy as np
from onnx import helper

from program import HALFTONE, PLAIN, ProgramTest, save, save_mlp

USAGE, BAD = 2, 3


def fixed(w, word, fraction, overflow='saturate'):
    """The integers of Q(word, fraction), from docs/arithmetic.md sections 1 and 2."""
    q = np.round(w.astype(np.float64) * 2.0 ** fraction).astype(np.int64)
    half = 2 ** (word - 1)
    return np.clip(q, -half, half - 1) if overflow == 'saturate' else (q + half) % (2 * half) - half


class SweepTest(ProgramTest):
    """8-6-4 with tanh and biases; labels are what the float network says."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        self.weights = {'w1': random.normal(0, 0.6, (6, 8)), 'b1': random.normal(0, 0.3, 6),
                        'w2': random.normal(0, 0.8, (4, 6)), 'b2': random.normal(0, 0.3, 4)}
        self.weights = {name: w.astype(np.float32) for name, w in self.weights.items()}
        self.model = self.save_net('net.onnx', self.weights)
        x = random.normal(0, 1, (240, 8)).astype(np.float32)
        w = self.weights
        y = (np.tanh(x @ w['w1'].T + w['b1']) @ w['w2'].T + w['b2']).argmax(1)
        self.data = self.folder / 'set.npz'
        np.savez(self.data, x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:])
        self.csv = self.folder / 't.csv'

    def save_net(self, name, weights):
        nodes = [helper.make_node('Gemm', ['x', 'w1', 'b1'], ['h'], 'fc1', transB=1), helper.make_node('Tanh', ['h'], ['a'], 'tanh'),
                 helper.make_node('Gemm', ['a', 'w2', 'b2'], ['y'], 'fc2', transB=1)]
        return save(self.folder / name, nodes, weights, inputs=(('x', ['N', 8]),), outputs=(('y', ['N', 4]),))

    def sweep(self, *arguments, output=None, model=None, data=None):
        return self.run_it('sweep', model or self.model, '--data', data or self.data, '-o', output or self.csv, *arguments)

    def table(self, *arguments, **where):
        file = self.folder / 't.json'
        self.sweep('--json', file, *arguments, **where)
        return json.loads(file.read_text())

    def accuracy_of(self, weights, data='train'):
        other = self.save_net('other.onnx', weights)
        rows = json.loads(self.run_it('evaluate', other, '--data', f'{self.data}:{data}', '--json').stdout)
        return rows[0]['accuracy']

    def refused(self, *arguments, code=USAGE, says=''):
        return self.expect_error('sweep', self.model, '--data', self.data, '-o', self.csv, *arguments, code=code, says=says)


class FixedPoint(SweepTest):
    def test_every_cell_is_the_network_with_those_weights(self):
        for overflow in ('saturate', 'wrap'):
            output = self.folder / f'{overflow}.csv'
            out = self.table('--word-length', '1-4,9', '--overflow', overflow, output=output)
            self.assertEqual(out['float_accuracy'], 100)
            self.assertEqual(len(out['cells']), 1 + 2 + 3 + 4 + 9)
            distinct = set()
            for cell in out['cells']:
                wl, fl = cell['word_length'], cell['fraction_length']
                weights = {n: (fixed(w, wl, fl, overflow) / 2.0 ** fl).astype(np.float32) if n[0] == 'w' else w for n, w in self.weights.items()}
                self.assertEqual(round(cell['accuracy'], 2), self.accuracy_of(weights), (overflow, wl, fl))
                distinct.add(cell['accuracy'])
                self.assertEqual('lab_correct' in cell, wl <= 8)
                if wl <= 8:
                    integers = {n: fixed(w, wl, fl).astype(np.float32) for n, w in self.weights.items()}
                    self.assertEqual(round(cell['lab_accuracy'], 2), self.accuracy_of(integers), (wl, fl))
            self.assertGreater(len(distinct), 5)
        self.assertNotEqual((self.folder / 'saturate.csv').read_text(), (self.folder / 'wrap.csv').read_text())

    def test_the_lab_keeps_its_best_from_row_to_row(self):
        out = self.table('--word-length', '1-8')
        best, kept = 0, 0
        for row in out['rows']:
            cells = [c for c in out['cells'] if c['word_length'] == row['word_length']]
            self.assertEqual(row['accuracy'], max(c['accuracy'] for c in cells))
            for cell in cells:
                if cell['lab_accuracy'] > best:
                    best, kept = cell['lab_accuracy'], cell['fraction_length']
            self.assertEqual(row['lab_fraction_length'], kept)
            self.assertEqual([row['lab_accuracy']], [c['lab_accuracy'] for c in cells if c['fraction_length'] == kept])
        fits = max(w for w in range(1, 20) if any((fixed(p, w, kept) != fixed(p, 30, kept)).any() for p in self.weights.values())) + 1
        self.assertIn(f'fl {kept} holds from word length', out['notes'][0])
        self.assertIn(f'needs more than {fits} bits', out['notes'][0])
        self.assertRegex(out['notes'][0], r'rows \d to 8 are the same integers$')

    def test_digits(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        out = self.table('--word-length', 8, '--fraction-length', '5,7', '--samples', 200, model=model, data='digits')
        self.assertEqual(out['data'], 'digits:train')
        rows = json.loads(self.run_it('evaluate', model, '--data', 'digits:train', '--samples', 200, '--json').stdout)
        self.assertEqual(round(out['float_accuracy'], 2), rows[0]['accuracy'])
        self.assertEqual([(c['word_length'], c['fraction_length']) for c in out['cells']], [(8, 5), (8, 7)])
        other = self.folder / 'other.csv'
        self.sweep('--word-length', 8, '--fraction-length', '5,7', '--samples', 200, model=model, data='digits:test', output=other)
        self.assertIn('# data: digits:test, 200 samples', other.read_text())

    def test_fraction_lengths_may_be_none_or_more_than_the_word(self):
        out = self.table('--word-length', 4, '--fraction-length', '0,3-6')
        self.assertEqual([c['fraction_length'] for c in out['cells']], [0, 3, 4, 5, 6])
        self.assertEqual(['lab_accuracy' in c for c in out['cells']], [False, True, True, False, False])

    def test_prints_the_best_of_each_row_and_why_the_lab_stands_still(self):
        done = self.sweep('--word-length', '2-4', '--samples', 50)
        self.assertEqual(done.stderr, '')
        lines = done.stdout.splitlines()
        self.assertIn('as Lab 6', lines[0])
        self.assertEqual([line.count('*') for line in lines[2:5]], [1, 1, 1])
        self.assertIn('100.00 % in float; 50 samples of set', done.stdout)
        self.assertIn('██', done.stdout)

    def test_one_thread_and_two_write_the_same(self):
        other = self.folder / 'other.csv'
        self.sweep('--word-length', '1-5', '--threads', 1)
        self.sweep('--word-length', '1-5', '--threads', 2, output=other)
        self.assertEqual(self.csv.read_bytes(), other.read_bytes())


class NarrowSums(SweepTest):
    def right(self, x, y, word, fraction, bits, overflow):
        """Right answers with every sum within `bits`, from the words of the option alone."""
        def held(a):
            half = 2 ** (bits - 1)
            return np.clip(a, -half, half - 1) if overflow == 'saturate' else (a + half) % (2 * half) - half

        def layer(x, seen, w, b):
            f = max(f for f in range(-8, 32) if (fixed(seen, 8, f) == fixed(seen, 60, f)).all())
            q, qw = fixed(x, 8, f), fixed(w, word, fraction, overflow)
            acc = np.zeros((len(x), len(w)), np.int64)
            for k in range(x.shape[1]):
                acc = held(acc + q[:, k:k + 1] * qw[:, k])
            return (acc / 2.0 ** (fraction + f) + b).astype(np.float32)
        w = self.weights
        seen = np.tanh(x @ w['w1'].T + w['b1'])
        return int((layer(np.tanh(layer(x, x, w['w1'], w['b1'])), seen, w['w2'], w['b2']).argmax(1) == y).sum())

    def test_are_those_of_a_plain_loop(self):
        arrays = np.load(self.data)
        counts = set()
        for bits in (10, 16):
            for overflow in ('saturate', 'wrap'):
                out = self.table('--word-length', '4,8', '--fraction-length', '2-7', '--overflow', overflow, '--accumulator', bits,
                                 output=self.folder / f'{bits}{overflow}.csv')
                for cell in out['cells']:
                    expected = self.right(arrays['x_train'], arrays['y_train'], cell['word_length'], cell['fraction_length'], bits, overflow)
                    # tanh may round otherwise in the last bit.
                    self.assertLessEqual(abs(cell['correct'] - expected), 1, (bits, overflow, cell))
                    counts.add((cell['word_length'], cell['fraction_length'], cell['correct']))
                self.assertIn(f'sums of {bits} bits that {overflow}', out['notes'][0])
        self.assertGreater(len(counts), 20)

    def test_belong_to_the_settings_of_the_table(self):
        arguments = ('--word-length', '3', '--accumulator', 16)
        self.sweep(*arguments)
        whole = self.csv.read_bytes()
        self.sweep(*arguments, '--threads', 1)
        self.assertEqual(self.csv.read_bytes(), whole)
        self.refused('--word-length', '3', says='sums, got 16 bits, inputs of 8 bits, expected float')
        self.refused('--word-length', '3', '--accumulator', 12, says='expected 12 bits')
        self.refused(*arguments, '--calibration-samples', 5, says='calibration')

    def test_of_layers_they_do_not_know_are_refused(self):
        up = save(self.folder / 'up.onnx', [helper.make_node('ConvTranspose', ['x', 'w'], ['y'], 'up')], {'w': np.ones((1, 1, 2, 2), np.float32)},
                  inputs=(('x', ['N', 1, 4, 4]),), outputs=(('y', ['N', 1, 5, 5]),))
        self.expect_error('sweep', up, '--data', self.data, '-o', self.csv, '--word-length', 4, '--accumulator', 16, code=BAD, says="ConvTranspose 'up'")


class Resume(SweepTest):
    SETTINGS = ('--word-length', '2-4')

    def setUp(self):
        super().setUp()
        self.printed = self.sweep(*self.SETTINGS).stdout
        self.whole = self.csv.read_bytes()
        self.lines = self.whole.decode().splitlines(keepends=True)
        self.head = next(i for i, line in enumerate(self.lines) if line.startswith('word_length')) + 1

    def test_from_any_cell_on_it_is_the_uninterrupted_table(self):
        for keep in range(self.head, len(self.lines) + 1):
            self.csv.write_text(''.join(self.lines[:keep]))
            self.assertEqual(self.sweep(*self.SETTINGS, '--threads', 1 + keep % 2).stdout, self.printed)
            self.assertEqual(self.csv.read_bytes(), self.whole, keep)
        # As threads may leave it: a later cell done before an earlier one.
        self.csv.write_text(''.join(self.lines[:self.head] + self.lines[self.head + 3:self.head + 5]))
        self.sweep(*self.SETTINGS)
        self.assertEqual(self.csv.read_bytes(), self.whole)

    def test_killed_at_any_time_it_goes_on(self):
        for delay in (0, 0.02, 0.1, 0.3):
            self.csv.unlink()
            running = subprocess.Popen([HALFTONE, 'sweep', str(self.model), '--data', str(self.data), '-o', str(self.csv), *self.SETTINGS, '--threads', '2'],
                                       stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + 20
            while not self.csv.exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(delay)
            running.kill()
            running.wait()
            self.sweep(*self.SETTINGS)
            self.assertEqual(self.csv.read_bytes(), self.whole)

    def test_cells_that_are_there_are_not_computed_again(self):
        row = self.lines[self.head].split(',')
        self.assertNotEqual(row[2], '7')
        self.csv.write_text(''.join(self.lines[:self.head]) + ','.join(row[:2] + ['7', '3.5000'] + row[4:]))
        self.sweep(*self.SETTINGS)
        after = self.csv.read_text().splitlines()
        self.assertEqual(after[self.head].split(',')[2:4], ['7', '3.5000'])
        self.assertEqual(after[self.head + 1:], self.whole.decode().splitlines()[self.head + 1:])

    def test_other_settings_are_refused_and_the_table_stays(self):
        for arguments, says in ((['--word-length', '2-5'], 'word lengths, got 2 3 4, expected 2 3 4 5'),
                                ([*self.SETTINGS, '--overflow', 'wrap'], 'overflow, got saturate, expected wrap'),
                                ([*self.SETTINGS, '--fraction-length', '1'], 'fraction lengths, got all, expected 1'),
                                ([*self.SETTINGS, '--samples', '100'], 'data, got set, 200 samples')):
            self.assertIn('other settings', self.refused(*arguments, says=says))
        self.refused('--bits', 'w8a8', code=BAD, says='fixed-point weights')
        self.weights['w1'][0, 0] += 1
        self.save_net('net.onnx', self.weights)
        self.refused(*self.SETTINGS, says='other settings: model')
        self.assertEqual(self.csv.read_bytes(), self.whole)

    def test_other_samples_of_the_same_name_are_refused(self):
        arrays = dict(np.load(self.data))
        arrays['x_train'][0, 0] += 1
        np.savez(self.data, **arrays)
        self.refused(*self.SETTINGS, says='other settings: data')

    def test_damaged_tables_are_refused(self):
        row = self.lines[self.head]
        for text, says in (('', 'first line'), ('x,y\n1,2\n', 'first line'), (self.whole.decode()[:-1], 'ends in its middle'),
                           (''.join(self.lines[:self.head - 1]), 'columns'), (''.join(self.lines) + row, 'twice'),
                           (''.join(self.lines[:self.head]) + '9' + row, 'settings do not'),
                           (''.join(self.lines[:self.head]) + row.replace(row.split(',')[2], '201', 1), 'got'),
                           (''.join(self.lines[:self.head]) + '2,1,,,,\n', 'expected 0 to 200'),
                           (''.join(self.lines[:self.head]) + '2,1\n', 'cells')):
            self.csv.write_text(text)
            self.refused(*self.SETTINGS, code=BAD, says=says)
            self.assertEqual(self.csv.read_text(), text)


class Bits(SweepTest):
    def test_every_cell_is_quantize_and_evaluate(self):
        out = self.table('--bits', 'w8a8,w4a8,w3', '--observer', 'minmax,mse', '--granularity', 'tensor,channel')
        self.assertEqual(len(out['cells']), 12)
        self.assertEqual(out['settings']['calibration'].split(',')[0], 'set')
        for cell in out['cells']:
            quantized = self.folder / 'q.onnx'
            observer = [*PLAIN[:2], '--output-bits', cell['bits'][-1], '--observer', cell['observer']] if 'a' in cell['bits'] else []
            self.run_it('quantize', self.model, '--data', self.data, '-o', quantized, '--allow-float', '--bits', cell['bits'],
                        *observer, '--weight-observer', 'minmax', '--granularity', cell['granularity'])
            rows = json.loads(self.run_it('evaluate', quantized, '--data', f'{self.data}:train', '--json').stdout)
            self.assertEqual(round(cell['accuracy'], 2), rows[1]['accuracy'], cell)
        self.assertGreater(len({c['accuracy'] for c in out['cells']}), 3)
        for row in out['rows']:
            self.assertEqual(row['accuracy'], max(c['accuracy'] for c in out['cells'] if c['bits'] == row['bits']))

    def test_resumes_with_one_thread_or_two(self):
        arguments = ('--bits', 'w8a8,w2a8', '--observer', 'minmax,percentile=99.9')
        self.sweep(*arguments, '--threads', 2)
        whole = self.csv.read_text()
        self.csv.write_text(''.join(whole.splitlines(keepends=True)[:-2]))
        self.sweep(*arguments, '--threads', 1)
        self.assertEqual(self.csv.read_text(), whole)
        self.refused(*arguments, '--calibration-samples', 10, says='calibration')

    def test_calibrates_on_training_samples_even_when_it_counts_test_ones(self):
        self.sweep('--bits', 'w8a8', data=f'{self.data}:test')
        text = self.csv.read_text()
        self.assertRegex(text, r'# data: set:test, 40 samples')
        self.assertRegex(text, r'# calibration: set:train, 200 samples')

    def test_a_node_that_stays_float_is_refused_before_any_work(self):
        nodes = [helper.make_node('Gemm', ['x', 'w1'], ['h'], 'fc1', transB=1), helper.make_node('Softmax', ['h'], ['a'], 'soft'),
                 helper.make_node('Gemm', ['a', 'w2'], ['y'], 'fc2', transB=1)]
        model = save(self.folder / 'soft.onnx', nodes, {n: self.weights[n] for n in ('w1', 'w2')}, inputs=(('x', ['N', 8]),), outputs=(('y', ['N', 4]),))
        self.expect_error('sweep', model, '--data', self.data, '--bits', 'w8a8', '-o', self.csv, code=BAD, says="would stay float: Softmax 'soft' (")
        self.assertFalse(self.csv.exists())
        self.sweep('--bits', 'w8a8', '--allow-float', model=model)


class Refused(SweepTest):
    def test_options_that_make_no_sense(self):
        for arguments in ([], ['--word-length', '8-1'], ['--word-length', '0'], ['--word-length', '17'], ['--word-length', '1-'], ['--word-length', ''],
                          ['--word-length', '1,1-2'], ['--word-length', 'all'], ['--word-length', '-3'], ['--word-length', '2,x'],
                          ['--word-length', '4', '--fraction-length', '32'], ['--word-length', '4', '--fraction-length', '3-1'],
                          ['--word-length', '4', '--overflow', 'clamp'], ['--word-length', '4', '--bits', 'w8a8'],
                          ['--word-length', '4', '--observer', 'mse'], ['--word-length', '4', '--allow-float'],
                          ['--word-length', '4', '--accumulator', '7'], ['--bits', 'w8a8', '--accumulator', '16'],
                          ['--word-length', '4', '--calibration-samples', '9'], ['--word-length', '4', '--calibration-data', self.data],
                          ['--bits', 'w8a8', '--overflow', 'wrap'], ['--bits', 'w8a8', '--fraction-length', '4'],
                          ['--bits', 'w8a8', '--observer', 'best'], ['--bits', 'w8a8', '--observer', 'mse,mse'], ['--bits', 'w8a8,'],
                          ['--bits', 'w8a17'], ['--bits', 'w17a8'], ['--bits', '8'], ['--bits', 'w8a8', '--granularity', 'group'], ['--bits', 'w4,w3', '--observer', 'minmax,mse'],
                          ['--word-length', '4', '--scores', 'none'], ['--word-length', '4', '--json', self.csv],
                          ['--word-length', '4', '--html', self.folder / '.' / 't.csv']):
            with self.subTest(arguments):
                self.refused(*arguments)
        self.assertEqual(self.files(), ['net.onnx', 'set.npz'])

    def test_models_and_samples_that_cannot_be_swept(self):
        quantized = self.folder / 'q.onnx'
        self.run_it('quantize', self.model, '--data', self.data, '-o', quantized)
        table = ('--word-length', '4', '-o', self.csv)
        self.expect_error('sweep', quantized, '--data', self.data, *table, code=BAD, says='quantized already')
        np.savez(self.folder / 'bare.npz', x=np.zeros((4, 8), np.float32))
        self.expect_error('sweep', self.model, '--data', self.folder / 'bare.npz', *table, code=BAD, says='no labels')
        relu = save(self.folder / 'relu.onnx', [helper.make_node('Relu', ['x'], ['y'])], {}, inputs=(('x', ['N', 8]),), outputs=(('y', ['N', 8]),))
        self.expect_error('sweep', relu, '--data', self.data, *table, code=BAD, says='no Conv')
        self.weights['b2'][1] = np.nan
        self.expect_error('sweep', self.save_net('nan.onnx', self.weights), '--data', self.data, *table, code=BAD, says='NaN')
        self.refused('--word-length', '4', '-o', '/dev/null')
        self.expect_error('sweep', self.model, '--data', self.data, '--word-length', 4, '-o', self.folder / 'no' / 't.csv', code=BAD)
        self.expect_error('sweep', self.model, '--data', self.data, '--word-length', 4, '-o', '/dev/null', code=USAGE, says='grow')
        self.assertFalse(self.csv.exists())


class Page(SweepTest):
    def test_stands_alone_and_has_every_cell(self):
        for arguments, cells in ((['--word-length', '2-4'], 9), (['--bits', 'w8a8,w4a8', '--observer', 'minmax,kl'], 4)):
            page = self.folder / f'{cells}.html'
            self.sweep(*arguments, '--html', page, output=self.folder / f'{cells}.csv')
            html = page.read_text()
            svg = html[html.index('<svg'):html.index('</svg>') + len('</svg>')]
            root = xml.fromstring(svg)
            self.assertEqual(len(root.findall('.//{http://www.w3.org/2000/svg}rect')), cells)
            self.assertEqual(re.findall(r'https?:[^"]*', html), ['http://www.w3.org/2000/svg'])
            for word in ('src=', 'href=', '<script', '@import', 'url('):
                self.assertNotIn(word, html)
            for number in re.findall(r'(\d+\.\d\d) %</title>', svg):
                self.assertIn(f'<td>{number}', html)


if __name__ == '__main__':
    unittest.main()
