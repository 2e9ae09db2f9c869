#!/usr/bin/env python3
"""How pixels and labels are prepared: one way a table, said in every summary, kept in files, guessed where it is wrong."""
import json
import unittest

import numpy as np
from onnx import helper

from program import ProgramTest, save

USAGE = 2
STEP = 25  # of brightness, from class to class


def save_brightness(path, divisor, width=10, first=0):
    """Scores 2·k·STEP·p − (k·STEP)² for the mean pixel p of a picture: the class of the nearest multiple k of STEP, `first`
    added; it takes pixels divided by `divisor`."""
    weights = np.zeros((width, 48), np.float32)
    bias = np.full(width, -1.0e6, np.float32)
    for k in range(10):
        weights[k + first] = 2 * k * STEP * divisor / 48
        bias[k + first] = -float(k * STEP) ** 2
    nodes = [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'),
             helper.make_node('Gemm', ['flat', 'w', 'b'], ['output'], 'fc', transB=1)]
    return save(path, nodes, {'w': weights, 'b': bias}, inputs=(('input', ['N', 3, 4, 4]),), outputs=(('output', ['N', width]),))


class Preparation(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        y = np.arange(200) % 10
        x = np.clip(y[:, None, None, None] * STEP + random.integers(-9, 10, (200, 3, 4, 4)), 0, 255).astype(np.uint8)
        np.savez(self.folder / 'set.npz', x=x, y=y)
        self.data = self.folder / 'set.npz'
        self.model = save_brightness(self.folder / 'float.onnx', 255)  # takes p / 255
        self.int8 = self.folder / 'int8.onnx'

    def quantize(self, *arguments, model=None):
        return self.run_it('quantize', model or self.model, '--data', self.data, '--output-bits', 16, '-o', self.int8, *arguments)

    def rows(self, *models, arguments=()):
        return json.loads(self.run_it('evaluate', *models, '--data', self.data, '--json', *arguments).stdout)

    def test_a_table_has_one_preparation_that_any_of_its_models_says(self):
        self.quantize('--preset', 'mnist')
        for models in ((self.model, self.int8), (self.int8, self.model)):
            rows = self.rows(*models)
            self.assertTrue(all(row['accuracy'] > 90 for row in rows), rows)
            self.assertEqual({row['preparation']['preset'] for row in rows}, {'mnist'})
            self.assertEqual({row['preparation']['from'] for row in rows}, {str(self.int8)})
        text = self.run_it('evaluate', self.model, self.int8, '--data', self.data).stdout
        self.assertIn(f'pixels prepared as mnist: p / 255 ({self.int8})', text)

    def test_a_reference_is_prepared_as_the_models_are(self):
        self.quantize('--preset', 'mnist')
        rows = self.rows(self.int8, arguments=('--reference', self.model))
        self.assertLess(rows[0]['outputs'][0]['relative_rms_error'], 0.01)

    def test_a_preset_that_contradicts_the_file_is_refused(self):
        self.quantize('--preset', 'mnist')
        for command in (('evaluate', self.int8), ('verify', self.int8), ('evaluate', self.model, self.int8)):
            says = self.expect_error(*command, '--data', self.data, '--preset', 'raw', code=USAGE, says='--override-preprocessing')
            self.assertIn('raw: p', says)
            self.assertIn('mnist: p / 255', says)
        # The same numbers under other names contradict nothing.
        self.run_it('evaluate', self.int8, '--data', self.data, '--scale', 255)
        rows = self.rows(self.int8, arguments=('--preset', 'raw', '--override-preprocessing'))
        self.assertLess(rows[0]['accuracy'], 50)
        self.assertEqual(rows[0]['preparation']['from'], '--preset')

    def test_an_overridden_recipe_makes_the_same_file_again(self):
        self.quantize('--preset', 'mnist')
        again = self.folder / 'again.onnx'
        trained = self.folder / 'trained.onnx'
        self.run_it('quantize', self.model, '--data', self.data, '--preset', 'mnist', '--float-output', trained, '-o', again)
        self.expect_error('quantize', trained, '--data', self.data, '--preset', 'tf', '-o', again, code=USAGE, says='--preset')
        self.run_it('quantize', trained, '--data', self.data, '--preset', 'tf', '--override-preprocessing', '-o', again)
        other = self.folder / 'other.onnx'
        self.run_it('quantize', trained, '--recipe', self.folder / 'again.recipe.toml', '-o', other)
        self.assertEqual(again.read_bytes(), other.read_bytes())

    def test_an_overridden_label_offset_is_kept_in_the_recipe(self):
        model = save_brightness(self.folder / 'eleven.onnx', 255, width=11, first=1)
        said, plain, again = self.folder / 'said.onnx', self.folder / 'plain.onnx', self.folder / 'again.onnx'
        self.run_it('quantize', model, '--data', self.data, '--preset', 'mnist', '--label-offset', 1, '--float-output', said, '-o', self.int8)
        self.run_it('quantize', said, '--data', self.data, '--label-offset', 0, '--override-preprocessing', '-o', plain)
        self.run_it('quantize', said, '--recipe', self.folder / 'plain.recipe.toml', '-o', again)
        self.assertEqual(plain.read_bytes(), again.read_bytes())
        self.assertNotEqual(plain.read_bytes(), self.int8.read_bytes())

    def test_models_that_say_different_things_do_not_share_a_table(self):
        other = self.folder / 'raw.onnx'
        self.quantize('--preset', 'mnist')
        self.run_it('quantize', save_brightness(self.folder / 'float_raw.onnx', 1), '--data', self.data, '--preset', 'raw', '-o', other)
        self.expect_error('evaluate', self.int8, other, '--data', self.data, code=USAGE, says='mnist: p / 255')
        self.run_it('evaluate', other, '--data', self.data)

    def test_summaries_say_what_was_done_and_who_said_so(self):
        line = 'pixels prepared as mnist: p / 255 (--preset)'
        self.assertIn(line, self.quantize('--preset', 'mnist').stdout)
        self.assertIn(line, self.run_it('calibrate', self.model, '--data', self.data, '--preset', 'mnist', '-o', self.folder / 'r.json').stdout)
        own = f'pixels prepared as mnist: p / 255 ({self.int8})'
        for command in (('verify', self.int8), ('analyze', self.model, self.int8), ('run', self.int8, '--index', 3)):
            self.assertIn(own, self.run_it(*command, '--data', self.data).stdout, command)
        for command in (('verify', self.int8), ('run', self.int8, '--index', 3)):
            self.assertEqual(json.loads(self.run_it(*command, '--data', self.data, '--json').stdout)['preparation']['formula'], 'mnist: p / 255')
        self.assertIn('mnist: p / 255', self.run_it('sweep', self.model, '--data', self.data, '--preset', 'mnist', '--word-length', '8',
                                                  '--fraction-length', '4', '-o', self.folder / 's.csv').stdout)
        np.savez(self.folder / 'numbers.npz', x=np.random.default_rng(0).random((40, 3, 4, 4), np.float32), y=np.arange(40) % 10)
        self.assertIn('numbers taken as they are', self.run_it('evaluate', self.model, '--data', self.folder / 'numbers.npz').stdout)

    def test_formulas_stand_in_the_help(self):
        text = ' '.join(self.run_it('evaluate', '--help').stdout.split())
        self.assertIn('imagenet: (p / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]', text)

    def test_the_label_offset_is_kept_in_the_file(self):
        model = save_brightness(self.folder / 'eleven.onnx', 255, width=11, first=1)
        self.quantize('--preset', 'mnist', '--label-offset', 1, model=model)
        rows = self.rows(model, self.int8)
        self.assertTrue(all(row['accuracy'] > 90 for row in rows), rows)
        self.assertEqual(rows[0]['preparation']['label_offset'], 1)
        self.assertIn('1 added to labels', self.run_it('evaluate', self.int8, '--data', self.data).stdout)
        self.expect_error('evaluate', self.int8, '--data', self.data, '--label-offset', 0, code=USAGE, says='--override-preprocessing')
        rows = self.rows(self.int8, arguments=('--label-offset', 0, '--override-preprocessing'))
        self.assertLess(rows[0]['accuracy'], 20)
        self.expect_error('evaluate', model, '--data', self.data, '--label-offset', -1, code=3, says='label 0 with -1 added')

    def test_a_damaged_label_offset_is_refused(self):
        import onnx
        for text in ('', 'one', '1e3', '99999999999'):
            damaged = onnx.load(str(self.model))
            helper.set_model_props(damaged, {'halftone.label_offset': text})
            onnx.save(damaged, str(self.folder / 'damaged.onnx'))
            self.expect_error('inspect', self.folder / 'damaged.onnx', code=3, says='halftone.label_offset')

    def test_near_chance_names_the_preset_that_would_do(self):
        for command in (('evaluate', self.model), ('quantize', self.model, '-o', self.int8), ('sweep', self.model, '--word-length', '8',
                        '--fraction-length', '4', '-o', self.folder / 's.csv'), ('calibrate', self.model, '-o', self.folder / 'r.json')):
            wrong = self.run_it(*command, '--data', self.data).stderr
            self.assertRegex(wrong, r'warning: .*near chance \(10\.0 %\).*raw: p.*--preset mnist gives 100\.0 %', command)
        self.quantize('--preset', 'mnist')
        for command in (('evaluate', self.model, self.int8), ('verify', self.int8), ('analyze', self.model, self.int8)):
            self.assertEqual(self.run_it(*command, '--data', self.data).stderr, '', command)

    def test_near_chance_names_the_label_offset(self):
        model = save_brightness(self.folder / 'eleven.onnx', 255, width=11, first=1)
        wrong = self.run_it('evaluate', model, '--data', self.data, '--preset', 'mnist').stderr
        self.assertIn('--label-offset 1 gives 100.0 %', wrong)
        self.assertEqual(self.run_it('evaluate', model, '--data', self.data, '--preset', 'mnist', '--label-offset', 1).stderr, '')

    def test_a_class_more_than_a_thousand_is_hinted_at(self):
        y = np.arange(1000)
        np.savez(self.folder / 'thousand.npz', x=np.zeros((1000, 3, 4, 4), np.uint8), y=y)
        model = save_brightness(self.folder / 'many.onnx', 255, width=1001, first=1)
        hint = '1,001 outputs beside 1,000 classes'
        arguments = ('evaluate', model, '--data', self.folder / 'thousand.npz')
        self.assertIn(hint, self.run_it(*arguments).stderr)
        self.assertNotIn(hint, self.run_it(*arguments, '--label-offset', 0).stderr)
        self.assertNotIn(hint, self.run_it(*arguments, '--label-offset', 1).stderr)

    def test_chance_is_that_of_the_outputs(self):
        """Labels of one class alone, 80 % right of ten classes: that is far from chance."""
        x = np.zeros((50, 3, 4, 4), np.uint8)
        x[40:] = 3 * STEP
        np.savez(self.folder / 'one.npz', x=x, y=np.zeros(50, int))
        self.assertEqual(self.run_it('evaluate', self.model, '--data', self.folder / 'one.npz', '--preset', 'mnist').stderr, '')

    def test_labels_that_begin_at_one(self):
        whole = np.load(self.data)
        np.savez(self.folder / 'from_one.npz', x=whole['x'], y=whole['y'] + 1)
        arguments = ('--data', self.folder / 'from_one.npz', '--preset', 'mnist')
        self.expect_error('evaluate', self.model, *arguments, code=3, says='got 10 among them, expected 0 to 9')
        self.assertIn('--label-offset -1 gives 100.0 %', self.run_it('quantize', self.model, *arguments, '-o', self.int8).stderr)
        self.run_it('evaluate', self.model, *arguments, '--label-offset', -1)

    def test_several_rows_of_scores_are_no_classes(self):
        nodes = [helper.make_node('Relu', ['input'], ['output'], 'relu')]
        model = save(self.folder / 'rows.onnx', nodes, {}, inputs=(('input', ['N', 3, 4, 4]),), outputs=(('output', ['N', 3, 4, 4]),))
        self.expect_error('evaluate', model, '--data', self.data, '--preset', 'raw', code=3, says='got shape')

    def test_inspect_guesses_a_preset(self):
        out = json.loads(self.run_it('inspect', self.model, '--guess-preset', '--data', self.data, '--json').stdout)
        self.assertEqual(out['presets'][0]['preset'], 'mnist')
        self.assertEqual(out['presets'][0]['accuracy'], 100.0)
        self.assertEqual({p['preset'] for p in out['presets']}, {'raw', 'mnist', 'cifar10', 'imagenet', 'tf'})
        self.assertIn('mnist: p / 255', self.run_it('inspect', self.model, '--guess-preset', '--data', self.data).stdout.splitlines()[2])
        self.expect_error('inspect', self.model, '--guess-preset', code=USAGE, says='--data')
        self.expect_error('inspect', self.model, '--data', self.data, code=USAGE, says='--guess-preset')
        np.save(self.folder / 'x.npy', np.zeros((9, 3, 4, 4), np.uint8))
        self.expect_error('inspect', self.model, '--guess-preset', '--data', self.folder / 'x.npy', code=3, says='no labels')


if __name__ == '__main__':
    unittest.main()
