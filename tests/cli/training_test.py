#!/usr/bin/env python3
"""Training as a user runs it: the file, its accuracy on built-in digits, and the same bytes for the same seed."""
import csv
import json
import os
import re
import unittest
import xml.etree.ElementTree

import numpy as np
import onnx
from onnx import helper, numpy_helper

from program import ProgramTest, main_two_at_once, save_mlp

QUANTIZERS = ('lsq', 'lsq+', 'tqt', 'pact', 'minmax', 'dorefa', 'ste', 'ste-pass', 'lab')
FEW = ('--data', 'digits', '--samples', 640)

class Training(ProgramTest):
    def test_the_path_from_training_to_proof(self):
        mlp, again, int8 = (self.folder / name for name in ('mlp.onnx', 'again.onnx', 'mlp.int8.onnx'))
        for path in (mlp, again):
            self.run_it('train', 'mlp', '--data', 'digits', '--samples', 12000, '--epochs', 4, '--seed', 3, '-o', path)
        self.assertEqual(mlp.read_bytes(), again.read_bytes())
        self.run_it('quantize', mlp, '--data', 'digits', '-o', int8)
        rows = json.loads(self.run_it('evaluate', mlp, int8, '--data', 'digits', '--json').stdout)
        self.assertGreater(rows[0]['accuracy'], 90)
        self.assertLess(abs(rows[2]['accuracy'] - rows[0]['accuracy']), 0.5)
        self.assertEqual(json.loads(self.run_it('verify', int8, '--data', 'digits', '--samples', 200, '--json').stdout)['unexplained'], 0)

    def test_finetuning_makes_integers_that_are_proven(self):
        mlp, rounded, one, two = (self.folder / name for name in ('mlp.onnx', 'rounded.onnx', 'one.onnx', 'two.onnx'))
        self.run_it('train', 'mlp', '--data', 'digits', '--samples', 12000, '--epochs', 2, '-o', mlp)
        self.run_it('quantize', mlp, '--data', 'digits', '--bits', 'w2a2', '-o', rounded)
        for path in (one, two):
            done = self.run_it('finetune', mlp, '--data', 'digits', '--samples', 6000, '--bits', 'w2a2', '--epochs', 2, '--held-out', 500, '-o', path)
            self.assertIn('held out', done.stderr)
        self.assertEqual(one.read_bytes(), two.read_bytes())
        self.assertTrue((self.folder / 'one.recipe.toml').exists())
        rows = json.loads(self.run_it('evaluate', rounded, one, '--data', 'digits', '--only', 'integer', '--json').stdout)
        self.assertGreater(rows[1]['accuracy'], rows[0]['accuracy'])
        self.assertEqual(json.loads(self.run_it('verify', one, '--data', 'digits', '--samples', 200, '--json').stdout)['unexplained'], 0)

    def test_finetuning_without_labels(self):
        mlp = save_mlp(self.folder / 'mlp.onnx')
        rows = self.folder / 'rows.npy'
        np.save(rows, np.random.default_rng(3).random((64, 1, 28, 28), np.float32))
        self.expect_error('finetune', mlp, '--data', rows, '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=2, says='no labels, expected some, or --no-labels')
        self.run_it('finetune', mlp, '--data', rows, '--no-labels', '--bits', 'w4a4', '--epochs', 1, '-o', self.folder / 'y.onnx')
        self.expect_error('finetune', self.folder / 'y.onnx', '--data', rows, '--no-labels', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=3, says='quantized already')
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--granularity', 'group=4', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=3, says='weights by group are not trained')
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--power-of-two', '--bits', 'w4a4', '-o', self.folder / 'x.onnx', code=2, says='expected the quantizer ste')
        self.run_it('finetune', mlp, '--recipe', self.folder / 'y.recipe.toml', '--no-labels', '--epochs', 1, '-o', self.folder / 'z.onnx')
        self.assertEqual((self.folder / 'y.onnx').read_bytes(), (self.folder / 'z.onnx').read_bytes())
        self.expect_error('finetune', mlp, '--data', rows, '--no-labels', '--bits', 'w4a4', '--learning-rate', 9, '-o', self.folder / 'x.onnx', code=2, says='learning rate, got 9')
        self.assertFalse((self.folder / 'x.onnx').exists())

    def test_usage_and_bad_input(self):
        self.expect_error('train', 'nosuchnet', '--data', 'digits', '-o', self.folder / 'x.onnx', code=2)
        self.expect_error('train', 'mlp', '--data', 'digits', code=2)
        self.expect_error('train', 'mlp', '--data', 'nosuchset', '-o', self.folder / 'x.onnx', code=2)
        self.expect_error('train', 'lenet', '--data', 'digits', '-o', self.folder / 'x.onnx', code=3)
        self.expect_error('train', 'mlp', '--data', 'digits', '-o', self.folder / 'no/such/x.onnx', code=3)
        self.assertEqual(self.files(), [])

    def test_what_is_read_is_not_written_over(self):
        model, data, link = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'data.npz', self.folder / 'link.onnx'
        np.savez(data, x=np.zeros((8, 1, 28, 28), np.uint8), y=np.arange(8))
        for read in (model, data):
            os.link(read, link)
            before = read.read_bytes()
            for output in (read, link, f'{self.folder}/./{read.name}'):
                self.expect_error('train', model, '--data', data, '--epochs', 1, '-o', output, code=2, says='is a file that is read')
                self.assertEqual(read.read_bytes(), before)
            link.unlink()

    def test_help(self):
        for command in ('train', 'finetune'):
            text = self.run_it(command, '--help').stdout
            self.assertIn('xample', text)
            self.assertIn('--granularity', text)
            for refused in ('group=', '--asymmetric', '--codebook', '--dynamic', '--bias-bits', 'w4:', 'weights alone'):
                self.assertNotIn(refused, text)
        self.expect_error('train', 'mlp', *FEW, '--bits', 'w4a4', '--asymmetric', '-o', self.folder / 'x.onnx', code=2, says='not expected: --asymmetric')


class TrainingTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.output, self.log = self.folder / 'out.onnx', self.folder / 'log.csv'

    def train(self, *arguments, model='mlp'):
        return self.run_it('train', model, *FEW, '-o', self.output, '--log', self.log, *arguments)

    def rows(self):
        with open(self.log) as lines:
            return list(csv.DictReader(lines))

    def losses(self):
        return [float(row['loss']) for row in self.rows()]

    def expect_proven(self):
        out = json.loads(self.run_it('verify', self.output, '--data', 'digits', '--samples', 50, '--json').stdout)
        self.assertEqual(out['unexplained'], 0, out)

    def weights(self):
        """What a float file holds, by name."""
        return {each.name: numpy_helper.to_array(each) for each in onnx.load(str(self.output)).graph.initializer}


class FloatThenIntegers(TrainingTest):
    def test_a_training_in_two_phases_is_told_whole(self):
        page = self.folder / 'page.html'
        done = self.run_it('train', 'mlp', '--data', 'digits', '--samples', 6000, '-o', self.output, '--log', self.log, '--float-epochs', 2, '--epochs', 2, '--bits', 'w8a8', '--quantizer', 'lab', '--test-accuracy', '--html', page)
        rows = self.rows()
        self.assertEqual([(row['epoch'], row['network']) for row in rows], [('1', 'float'), ('2', 'float'), ('3', 'integers'), ('4', 'integers')])
        for row, line in zip(rows, done.stderr.splitlines()):
            said = re.match(f'epoch {row["epoch"]}/4  {row["network"]}  loss .*  test ([0-9.]+) %  first 100 ', line)
            self.assertAlmostEqual(float(said[1]), float(row['test']), delta=0.0051)
            self.assertEqual(row['held_out'], '')
            self.assertEqual(float(row['first_100']) % 1, 0)
        times = [float(row['seconds']) for row in rows]
        self.assertEqual(times, sorted(times))
        integers = json.loads(self.run_it('evaluate', self.output, '--data', 'digits', '--only', 'integer', '--json').stdout)[0]['accuracy']
        self.assertGreaterEqual(integers, float(rows[1]['test']) - 1)
        self.assertAlmostEqual(integers, float(rows[3]['test']), delta=0.2)  # training computes what the file does
        text = ' '.join(xml.etree.ElementTree.parse(page).getroot().itertext())
        for said in ('quantization starts', 'test rows, epoch 4', 'w8a8', 'lab', f'{float(rows[3]["accuracy"]):.2f} %'):
            self.assertIn(said, text)
        self.expect_proven()

    def test_every_quantizer_gives_proven_integers(self):
        told = re.search(r'--quantizer TEXT.*?by (.*)', self.run_it('train', '--help').stdout)[1]
        self.assertEqual(tuple(re.findall(r'(?:^|; )([a-z+-]+): ', told)), QUANTIZERS)
        for quantizer in QUANTIZERS:
            with self.subTest(quantizer=quantizer):
                done = self.train('--float-epochs', 1, '--epochs', 1, '--bits', 'w4a4', '--nearest', '--quantizer', quantizer)
                self.assertEqual('power-of-two' in done.stdout, quantizer == 'tqt', done.stdout)
                self.assertIn('by tensor' if quantizer == 'lab' else 'by channel', done.stdout)
                self.assertEqual(len(self.rows()), 2)
                self.expect_proven()
        self.expect_error('train', 'mlp', *FEW, '--bits', 'w4a4', '--quantizer', 'nosuch', '-o', self.output, code=2, says='nosuch')

    def test_noise_and_freezing(self):
        two_bits = ('--float-epochs', 1, '--epochs', 1, '--bits', 'w2a4', '--nearest', '--learning-rate', 0.01)
        made = set()
        for options in ((), ('--weight-noise', 'stochastic'), ('--weight-noise', 'additive'), ('--freeze', 0.01), ('--average', 0.9), ('--batch-norm-epochs', 1)):
            self.train(*two_bits, *options)
            self.expect_proven()
            made.add(self.output.read_bytes())
        self.assertEqual(len(made), 6)

    def test_batch_normalization_that_is_refused(self):
        for options, says in ((('--granularity', 'tensor'), 'by tensor, expected by channel'), (('--correct-bias=none',), 'got no layer with a bias before the last'),
                              (('--through', 'w8a8'), 'got 3, expected 0 to the 2 of each stage')):
            with self.subTest(says=says):
                self.expect_error('train', 'mlp', *FEW, '--bits', 'w4a4', '--float-epochs', 0, '--epochs', 4, '--batch-norm-epochs', 3, *options, '-o', self.output, code=2, says=says)
        self.expect_error('train', 'mlp', *FEW, '--batch-norm-epochs', 1, '-o', self.output, code=2, says='is for quantized epochs')

    def test_a_rate_that_is_too_high_is_told_and_the_checkpoint_is_sound(self):
        model, kept = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'kept'
        command = ('finetune', model, '--data', 'digits', '--samples', 600, '--epochs', 3, '--bits', 'w4a4', '--optimizer', 'sgd', '--learning-rate', 1, '--weight-decay', 1000,
                   '--schedule', 'constant', '--warmup-epochs', 1, '-o', self.output)
        done = self.run_it(*command, '--checkpoints', kept, code=2)
        *epochs, last = done.stderr.splitlines()
        self.assertGreater(len(epochs), 0, 'it fails before a checkpoint: the test needs a slower rise')
        self.assertRegex(last, f'^halftone finetune: .* epoch {len(epochs) + 1}, step [0-9]+ is not finite, got a learning rate of 1, expected a lower one')
        self.assertFalse(self.output.exists())
        before = (kept / 'quantized.npz').read_bytes()
        with np.load(kept / 'quantized.npz') as arrays:
            self.assertTrue(all(np.isfinite(array).all() for name, array in arrays.items() if name.startswith('now/')))
        self.assertEqual(self.run_it(*command, '--resume', kept, code=2).stderr.splitlines()[-1], last)
        self.assertEqual((kept / 'quantized.npz').read_bytes(), before)

    def test_an_error_counts_epochs_as_the_lines_do(self):
        done = self.run_it('train', 'mlp', '--data', 'digits', '--samples', 320, '--float-epochs', 2, '--epochs', 2, '--bits', 'w4a4', '--optimizer', 'sgd', '--learning-rate', 1,
                           '--float-learning-rate', 0.01, '--weight-decay', 1000, '--schedule', 'constant', '--warmup-epochs', 1, '-o', self.output, code=2)
        *epochs, last = done.stderr.splitlines()
        self.assertGreaterEqual(len(epochs), 2)
        self.assertIn(f' epoch {len(epochs) + 1}, step ', last)


class Options(TrainingTest):
    def test_optimizers(self):
        made = set()
        for options in (('adam',), ('adamw',), ('sgd', '--learning-rate', 0.1), ('sgd', '--learning-rate', 0.1, '--momentum', 0)):
            self.train('--epochs', 2, '--optimizer', *options)
            self.assertLess(self.losses()[1], self.losses()[0] - 0.1, options)
            made.add(self.output.read_bytes())
        self.assertEqual(len(made), 4)

    def test_schedules(self):
        """Stairs are as a constant rate until the middle, and the first epoch of a warm-up learns less."""
        losses = {}
        for name, options in {'constant': (), 'stairs': (), 'cosine': (), 'warm': ('--schedule', 'constant', '--warmup-epochs', 2)}.items():
            self.train('--epochs', 4, *(options or ('--schedule', name)))
            losses[name] = self.losses()
        self.assertEqual(losses['stairs'][:2], losses['constant'][:2])
        self.assertNotEqual(losses['stairs'][2], losses['constant'][2])
        self.assertNotEqual(losses['cosine'][0], losses['constant'][0])
        self.assertGreater(losses['warm'][0], losses['constant'][0] + 0.1)

    def test_an_average_of_weights(self):
        """Training sees the weights, the file has their average, which changes less."""
        made = {}
        for average in (0, 0.9, 0.999):
            self.train('--epochs', 1, '--average', average)
            made[average] = (self.losses(), self.weights())
        self.assertEqual(made[0][0], made[0.9][0])
        start = self.folder / 'start.onnx'
        self.run_it('model', 'mlp', '--seed', 1, '-o', start)
        first = {each.name: numpy_helper.to_array(each) for each in onnx.load(str(start)).graph.initializer}
        moved = [np.abs(weights['fc1.weight'] - first['fc1.weight']).mean() for _, weights in made.values()]
        self.assertGreater(moved[0], moved[1])
        self.assertGreater(moved[1], 5 * moved[2])

    def test_patience_writes_the_best_epoch(self):
        done = self.train('--epochs', 30, '--held-out', 100, '--patience', 2, '--learning-rate', 0.03, '--optimizer', 'sgd', '--momentum', 0.95, '--schedule', 'constant')
        held_out = [float(row['held_out']) for row in self.rows()]
        best = held_out.index(max(held_out))
        self.assertEqual(len(held_out), best + 3)
        self.assertLess(len(held_out), 30)
        self.assertIn(f'epoch {best + 3}/30 ', done.stderr.splitlines()[-1])
        before = self.output.read_bytes()
        self.train('--epochs', 30, '--held-out', 100, '--learning-rate', 0.03, '--optimizer', 'sgd', '--momentum', 0.95, '--schedule', 'constant', '--checkpoints', self.folder / 'kept')
        self.assertEqual([float(row['held_out']) for row in self.rows()][:best + 3], held_out)
        self.assertNotEqual(self.output.read_bytes(), before)
        self.expect_error('train', 'mlp', *FEW, '--patience', 2, '-o', self.output, code=2, says='[--patience] needs rows to judge by, expected --held-out')

    def test_augmentation(self):
        made = {}
        for augment in ('none', 'affine', 'crop', 'cutout'):
            self.train('--epochs', 2, '--augment', augment)
            made[augment] = self.losses()
        for augment in ('affine', 'crop', 'cutout'):
            self.assertGreater(made[augment][1], made['none'][1], 'what moves is harder to learn')


class WrongInput(TrainingTest):
    def expect_none(self, *arguments, code, says):
        error = self.expect_error(*arguments, '-o', self.output, code=code, says=says)
        self.assertFalse(self.output.exists())
        return error

    def test_labels(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        x, y, data = np.zeros((24, 1, 28, 28), np.float32), np.arange(24) % 10, self.folder / 'data.npz'
        for labels, says in ((y + 1, 'got 10, expected 0 to 9'), (y - 1, 'label, got -1'), (np.where(y == 9, 2**31 - 1, y), 'got 2147483647'), (y + 0.5, 'expected integers'),
                             (y[:20], 'number of labels, got 20, expected 24')):
            with self.subTest(says=says):
                np.savez(data, x=x, y=labels)
                for command in (('train', model), ('finetune', model)):
                    self.expect_none(*command, '--data', data, '--epochs', 1, code=3, says=says)

    def test_more_classes_than_outputs(self):
        graph = onnx.load(str(save_mlp(self.folder / 'mlp.onnx')))
        for each in graph.graph.initializer:
            if each.name == 'w2':
                each.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(each)[:5], 'w2'))
        graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
        five = self.folder / 'five.onnx'
        onnx.save(graph, str(five))
        for command in ('train', 'finetune'):
            self.expect_none(command, five, *FEW, '--epochs', 1, code=3, says='expected 0 to 4')

    def test_a_test_part_that_is_none(self):
        model, rows = save_mlp(self.folder / 'mlp.onnx'), self.folder / 'rows.npy'
        np.save(rows, np.random.default_rng(3).random((40, 1, 28, 28), np.float32))
        labelled = self.folder / 'rows.npz'
        np.savez(labelled, x=np.load(rows), y=np.arange(40) % 10)
        for command in (('finetune', model, '--data', rows, '--no-labels'), ('train', model, '--data', labelled), ('train', 'mlp', '--data', 'digits:train')):
            self.expect_none(*command, '--test-accuracy', '--epochs', 1, code=2, says='[--test-accuracy] needs a set with a training and a test part')

    def test_an_operator_without_a_gradient(self):
        model = onnx.load(str(save_mlp(self.folder / 'mlp.onnx', last=helper.make_node('Round', ['scores'], ['output'], 'whole'))))
        onnx.save(model, str(self.folder / 'round.onnx'))
        for command in ('train', 'finetune'):
            error = self.expect_none(command, self.folder / 'round.onnx', *FEW, '--epochs', 1, code=3, says="Round 'whole'")
            self.assertNotIn('epoch', error)
        self.assertFalse(self.log.exists())


if __name__ == '__main__':
    main_two_at_once()
