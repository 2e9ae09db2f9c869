#!/usr/bin/env python3
"""What is read is never written over, results of several files appear together, and signals and limits leave nothing behind."""
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest
import zlib

import numpy as np
import onnx
from onnx import helper

from program import HALFTONE, PLAIN, ProgramTest, save, save_mlp

USAGE, BAD = 2, 3
SANITIZED = bool(os.environ.get('HALFTONE_SANITIZE'))
FEW = ('--calibration-samples', 16)


def idx(array):
    return struct.pack('>HBB', 0, 8, array.ndim) + struct.pack(f'>{array.ndim}I', *array.shape) + array.astype(np.uint8).tobytes()


def png(path, side=8):
    """A grey picture, by hand."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    rows = b''.join(b'\0' + bytes(range(side)) * 3 for _ in range(side))
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0))
                     + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


class FilesTest(ProgramTest):
    """A folder with one of everything that commands read."""
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        x, y = random.integers(0, 256, (32, 1, 28, 28), np.uint8), np.arange(32) % 10
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.data = self.folder / 'data.npz'
        np.savez(self.data, x=x, y=y)
        self.set = self.folder / 'set'
        self.set.mkdir()
        for part in ('train', 't10k'):
            (self.set / f'{part}-images-idx3-ubyte').write_bytes(idx(x[:, 0]))
            (self.set / f'{part}-labels-idx1-ubyte').write_bytes(idx(y))
        self.input = self.folder / 'x.npy'
        np.save(self.input, x[:2].astype(np.float32))
        self.outside = self.folder / 'outside.onnx'
        onnx.save_model(onnx.load(self.model), str(self.outside), save_as_external_data=True, location='outside.bin', size_threshold=0)
        self.weights = self.folder / 'outside.bin'

    def quantize(self, *arguments, output='q.onnx', model=None, **more):
        return self.run_it('quantize', model or self.model, '--data', self.data, *FEW, '-o', self.folder / output, *arguments, **more)

    def contents(self):
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob('*') if p.is_file()}

    def images(self):
        """A network for pictures, and pictures with a list."""
        random = np.random.default_rng(1)
        model = save(self.folder / 'conv.onnx', [helper.make_node('Conv', ['input', 'k'], ['c'], 'conv'), helper.make_node('GlobalAveragePool', ['c'], ['p'], 'pool'),
                                                 helper.make_node('Flatten', ['p'], ['output'], 'flat')],
                     {'k': random.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32)}, inputs=(('input', ['N', 3, 8, 8]),), outputs=(('output', ['N', 4]),))
        pictures = self.folder / 'pictures'
        pictures.mkdir()
        for name in 'ab':
            png(pictures / f'{name}.png')
        labels = self.folder / 'labels.txt'
        labels.write_text('a.png 1\nb.png 2\n')
        return model, pictures, labels


class WhatIsRead(FilesTest):
    def names_of(self, read, suffix):
        """Names that lead to the file and end in `suffix`."""
        links = self.folder / 'links'
        links.mkdir(exist_ok=True)
        for old in links.iterdir():
            old.unlink()
        (links / ('soft' + suffix)).symlink_to(read)
        (links / ('far' + suffix)).symlink_to('soft' + suffix)
        os.link(read, links / ('hard' + suffix))
        names = [links / ('soft' + suffix), links / ('far' + suffix), links / ('hard' + suffix)]
        if read.name.endswith(suffix):
            names += [read, f'{read.parent}/./{read.name}', f'{read.parent}/../{read.parent.name}/{read.name}', f'{links}/../{os.path.relpath(read, self.folder)}']
        return names

    def refused(self, command, read, suffix='', beside='', says='is a file that is read'):
        """`command` with OUT in it, where that leads to a file that it reads; with `beside` what stands beside OUT does."""
        for name in self.names_of(read, beside or suffix):
            output = str(name)
            if beside:
                output = output.removesuffix(beside) + suffix
            with self.subTest(command=command, read=read.name, output=output):
                before = self.contents()
                self.expect_error(*(str(a).replace('OUT', output) for a in command), code=USAGE, says=says)
                self.assertEqual(self.contents(), before)

    def test_quantize(self):
        recipe, ranges = self.folder / 'own.toml', self.folder / 'r.json'
        recipe.write_text('# by hand\n[weights]\nbits = 8\n')
        self.run_it('calibrate', self.model, '--data', self.data, *FEW, '-o', ranges)
        samples, elsewhere = ('--data', self.data, *FEW), ('-o', self.folder / 'q.onnx')
        for command, read in ((('quantize', self.model, *samples), (self.model, self.data)),
                              (('quantize', self.outside, *samples), (self.outside, self.weights)),
                              (('quantize', self.model, '--data', self.set, *FEW), (self.set / 'train-images-idx3-ubyte', self.set / 'train-labels-idx1-ubyte')),
                              (('quantize', self.model, '--ranges', ranges, '--recipe', recipe), (ranges, recipe))):
            for file in read:
                self.refused((*command, '-o', 'OUT'), file)
                self.refused((*command, '-o', 'OUT'), file, '.onnx', beside='.recipe.toml', says='--recipe-output')
                self.refused((*command, *elsewhere, '--float-output', 'OUT'), file)
                self.refused((*command, *elsewhere, '--recipe-output', 'OUT'), file)

    def test_pictures_and_labels(self):
        model, pictures, labels = self.images()
        for file in (pictures / 'a.png', pictures / 'b.png', labels):
            self.refused(('quantize', model, '--images', pictures, '--labels', labels, '--preset', 'raw', '-o', 'OUT'), file)
            self.refused(('calibrate', model, '--images', pictures, '--labels', labels, '--preset', 'raw', '-o', 'OUT'), file)

    def test_a_recipe_that_names_what_is_read(self):
        self.quantize()
        recipe = self.folder / 'q.recipe.toml'
        self.refused(('quantize', self.model, '--recipe', recipe, '-o', 'OUT'), self.data)
        self.refused(('quantize', self.model, '--recipe', recipe, '-o', 'OUT'), recipe, '.onnx', beside='.recipe.toml', says='--recipe-output')
        self.run_it('quantize', self.model, '--recipe', recipe, '-o', self.folder / 'q.onnx', '--recipe-output', self.folder / 'new.toml')
        self.assertEqual((self.folder / 'new.toml').read_text(), recipe.read_text())

    def test_calibrate_and_export(self):
        self.quantize()
        for data, files in ((self.data, (self.model, self.data)), (self.set, (self.set / 'train-images-idx3-ubyte', self.set / 'train-labels-idx1-ubyte'))):
            for file in files:
                self.refused(('calibrate', self.model, '--data', data, '-o', 'OUT'), file)
        for model, files in ((self.folder / 'q.onnx', (self.folder / 'q.onnx',)), (self.outside, (self.outside, self.weights))):
            for file in files:
                self.refused(('export', model, '--npz', 'OUT'), file, '.npz')

    def test_analyze(self):
        self.quantize()
        for option in ('--json', '--html'):
            for file in (self.model, self.folder / 'q.onnx', self.data):
                self.refused(('analyze', self.model, self.folder / 'q.onnx', '--data', self.data, option, 'OUT'), file)

    def test_sweep_and_search(self):
        table = self.folder / 't.csv'
        for file in (self.model, self.data):
            self.refused(('sweep', self.model, '--data', self.data, '--word-length', '4', '-o', 'OUT'), file)
            for option in ('--json', '--html'):
                self.refused(('sweep', self.model, '--data', self.data, '--word-length', '4', '-o', table, option, 'OUT'), file)
            self.refused(('search', self.model, '--data', self.data, *FEW, '--html', 'OUT'), file)
            self.refused(('search', self.model, '--data', self.data, *FEW, '--max-drop', 1, '-o', 'OUT'), file)
            self.refused(('search', self.model, '--data', self.data, *FEW, '--max-drop', 1, '-o', 'OUT'), file, '.onnx', beside='.recipe.toml', says='--recipe-output')
        self.run_it('sweep', self.model, '--data', self.data, '--word-length', '4', '--fraction-length', '2', '-o', table)
        one = table.read_bytes()
        self.run_it('sweep', self.model, '--data', self.data, '--word-length', '4', '--fraction-length', '2', '-o', table)
        self.assertEqual(table.read_bytes(), one)
        self.refused(('sweep', self.model, '--data', self.data, '--word-length', '4', '--fraction-length', '2', '-o', table, '--json', 'OUT'), table, says='given for two outputs')

    def test_run(self):
        two = self.folder / 'two.npz'
        np.savez(two, input=np.load(self.input))
        for source, file in ((('--input', self.input), self.input), (('--input', two), two), (('--input', self.input), self.model), (('--data', self.data), self.data)):
            self.refused(('run', self.model, *source, '--output', 'OUT'), file)
            self.refused(('run', self.model, *source, '--output', self.folder / 'y.npy', '--output', 'output=OUT'), file)
        self.refused(('run', self.outside, '--input', self.input, '--output', 'OUT'), self.weights)

    def test_run_into_a_folder(self):
        values = self.folder / 'values'
        self.run_it('run', self.model, '--input', self.input, '--dump', values)
        shutil.copy(self.input, values / 'h.npy')
        for link in (os.link, os.symlink):
            (values / 'output.npy').unlink()
            link(self.input, values / 'output.npy')
            for read in (values / 'h.npy', self.input):
                before = self.contents()
                self.expect_error('run', self.model, '--input', read, '--dump', values, code=USAGE, says='is a file that is read')
                self.assertEqual(self.contents(), before)

    def test_a_testbench_into_a_folder(self):
        self.quantize()
        tb, q = self.folder / 'tb', self.folder / 'q.onnx'
        self.run_it('export', q, '--testbench', tb, '--data', self.data)
        for link in (os.link, os.symlink):
            for name in ('fc1.bias.npy', 'manifest.json', 'testbench.h'):
                kept = (tb / name).read_bytes()
                for read in (q, self.data):
                    (tb / name).unlink()
                    if name == 'manifest.json':
                        link(read, tb / name)
                        self.expect_error('export', q, '--testbench', tb, '--data', self.data, code=USAGE, says='holds other files')
                    else:
                        link(read, tb / name)
                        before = self.contents()
                        self.expect_error('export', q, '--testbench', tb, '--data', self.data, code=USAGE, says='is a file that is read')
                        self.assertEqual(self.contents(), before)
                (tb / name).unlink()
                (tb / name).write_bytes(kept)

    def test_two_outputs_of_one_name(self):
        for name in ('q.recipe.toml', './q.recipe.toml', 'data/../q.recipe.toml'):
            (self.folder / 'data').mkdir(exist_ok=True)
            self.expect_error('quantize', self.model, '--data', self.data, '-o', self.folder / 'q.onnx', '--float-output', f'{self.folder}/{name}', code=USAGE, says='given for two outputs')
        self.expect_error('run', self.model, '--input', self.input, '--output', self.folder / 'y.npy', '--output', f'output={self.folder}/./y.npy', code=USAGE, says='given for two outputs')

    def test_devices_may_be_read_and_written(self):
        with self.input.open('rb') as given:
            done = subprocess.run([HALFTONE, 'run', self.model, '--input', '/dev/stdin', '--output', '/dev/stdout'], stdin=given, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout[:6]), (0, b'\x93NUMPY'))
        for _ in range(2):
            self.quantize(output='/dev/null')


class Together(FilesTest):
    def test_a_refusal_writes_nothing(self):
        nan = save(self.folder / 'nan.onnx', [helper.make_node('Sqrt', ['input'], ['output'])], {}, inputs=(('input', ['N', 4]),), outputs=(('output', ['N', 4]),))
        np.save(self.folder / 'minus.npy', -np.ones((1, 4), np.float32))
        before = self.contents()
        self.expect_error('run', nan, '--input', self.folder / 'minus.npy', '--output', self.folder / 'y.npy', code=BAD, says='not a number')
        self.assertEqual(self.contents(), before)

    def test_one_output_that_fails_leaves_all_as_they_were(self):
        self.quantize()
        for name in ('f.onnx', 'a.html', 'y.npy', 'r.toml'):
            (self.folder / name).write_text('old')
        before = self.contents()
        f, page, y = (self.folder / n for n in ('f.onnx', 'a.html', 'y.npy'))
        for command in (('quantize', self.model, '--data', self.data, *FEW, '--float-output', f, '-o', '/dev/full'),
                        ('quantize', self.model, '--data', self.data, *FEW, '--float-output', f, '-o', self.folder / 'q.onnx', '--recipe-output', '/dev/full'),
                        ('quantize', self.model, '--data', self.data, *FEW, '--recipe-output', self.folder / 'r.toml', '-o', '/dev/full'),
                        ('analyze', self.model, self.folder / 'q.onnx', '--data', self.data, '--html', page, '--json', '/dev/full'),
                        ('run', self.model, '--input', self.input, '--output', y, '--output', 'output=/dev/full')):
            self.expect_error(*command, code=BAD, says='No space left')
            self.assertEqual(self.contents(), before)

    def test_a_recipe_of_another_run_is_told(self):
        q, recipe = self.folder / 'q.onnx', self.folder / 'q.recipe.toml'
        def matches(warned):
            for command in (('inspect', q, '--json'), ('evaluate', q, '--data', self.data, '--json')):
                done = self.run_it(*command)
                out = json.loads(done.stdout)
                self.assertEqual(done.stderr.count('is the recipe of another file'), warned, done.stderr)
                if warned:
                    self.assertIn(f'[{recipe}] is the recipe of another file', done.stderr)
                for row in out if isinstance(out, list) else [out]:
                    yield row['recipe_matches']
        self.quantize('--bits', 'w8a8')
        self.assertEqual(list(matches(0)), [True] * 3)
        eight, text = q.read_bytes(), recipe.read_text()
        self.quantize('--bits', 'w4a8', *PLAIN)
        q.write_bytes(eight)
        self.assertEqual(list(matches(1)), [False] * 3)
        without = '\n'.join(line for line in text.split('\n') if 'model_digest' not in line)
        for other in (without, 'no = [toml', '', text.replace('model_digest = "', 'model_digest = 3 # "')):
            recipe.write_text(other)
            self.assertEqual(list(matches(0)), [None] * 3)
        recipe.unlink()
        self.assertEqual(list(matches(0)), [None] * 3)
        self.assertIsNone(json.loads(self.run_it('inspect', self.model, '--json').stdout)['recipe_matches'])

    def test_a_recipe_is_used_and_edited_whatever_digest_it_holds(self):
        self.quantize(*PLAIN)
        recipe = self.folder / 'q.recipe.toml'
        text = recipe.read_text()
        self.assertEqual(text.count('model_digest'), 1)
        kept = self.folder / 'kept.toml'
        kept.write_text(text.replace('bits = 8', 'bits = 4', 1))
        self.run_it('quantize', self.model, '--recipe', kept, '-o', self.folder / 'four.onnx')
        four = (self.folder / 'four.recipe.toml').read_text()
        self.assertNotEqual(four.splitlines()[-1], text.splitlines()[-1])
        kept.write_text('\n'.join(line for line in text.split('\n') if 'model_digest' not in line))
        self.run_it('quantize', self.model, '--recipe', kept, '-o', self.folder / 'again.onnx')
        self.assertEqual((self.folder / 'again.onnx').read_bytes(), (self.folder / 'q.onnx').read_bytes())
        self.assertEqual((self.folder / 'again.recipe.toml').read_text(), text)

    def test_two_writers_at_the_same_time_do_not_mix_unnoticed(self):
        for _ in range(6):
            both = [subprocess.Popen([HALFTONE, 'quantize', self.model, '--data', self.data, *map(str, FEW), '--bits', bits, *PLAIN, '-o', self.folder / 'q.onnx'],
                                     stdout=subprocess.DEVNULL) for bits in ('w8a8', 'w4a8')]
            self.assertEqual([p.wait(timeout=300) for p in both], [0, 0])
            bits = 8 if 'bits = 8' in (self.folder / 'q.recipe.toml').read_text().split('[activations]')[0] else 4
            out = json.loads(self.run_it('inspect', self.folder / 'q.onnx', '--json').stdout)
            four = any(t.data_type in (21, 22) for t in onnx.load(self.folder / 'q.onnx').graph.initializer)
            self.assertEqual(out['recipe_matches'], four == (bits == 4))


class Signals(FilesTest):
    def start(self, *arguments, **more):
        process = subprocess.Popen([HALFTONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close(), process.stderr.close()))
        return process

    def wait_for(self, process, condition):
        end = time.time() + 120
        while not condition():
            self.assertIsNone(process.poll(), 'ended too early')
            self.assertLess(time.time(), end, 'nothing happened')
            time.sleep(0.01)

    def pipe(self, name):
        path = self.folder / name
        if not path.exists():
            os.mkfifo(path)
        return path

    def is_read(self, pipe):
        """Whether someone waits for what is written to the pipe; the writer that is opened stays open."""
        try:
            writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        self.addCleanup(os.close, writer)
        return True

    def test_nothing_is_left_of_what_was_written_aside(self):
        self.quantize()
        pipe, q = self.pipe('pipe'), self.folder / 'q.onnx'
        for command in (('quantize', self.model, '--data', self.data, *FEW, '--float-output', self.folder / 'f.onnx', '-o', pipe),
                        ('quantize', self.model, '--data', self.data, *FEW, '-o', self.folder / 'n.onnx', '--recipe-output', pipe),
                        ('analyze', self.model, q, '--data', self.data, '--html', self.folder / 'a.html', '--json', pipe),
                        ('sweep', self.model, '--data', self.data, '--word-length', '4', '--fraction-length', '2', '-o', self.folder / 't.csv', '--json', self.folder / 'a.json', '--html', pipe),
                        ('run', self.model, '--input', self.input, '--dump', self.folder / 'values', '--output', pipe)):
            for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(command=command[0], signal=sent):
                    before = set(self.contents())
                    process = self.start(*command)
                    # The pipe has no reader: the program waits for one, the other files complete beside their places.
                    self.wait_for(process, lambda: list(self.folder.rglob('.halftone.*')))
                    process.send_signal(sent)
                    self.assertEqual(process.wait(timeout=60), -sent)
                    self.assertEqual(set(self.contents()) - {'t.csv'}, before - {'t.csv'})

    def test_a_program_that_waits_for_samples_ends(self):
        pipe = self.pipe('x.npz')
        commands = [('calibrate', self.model, '--data', pipe, '-o', self.folder / 'r.json'), ('evaluate', self.model, '--data', pipe)]
        if (pathlib.Path(HALFTONE).parent / 'halftone-train').exists():
            commands.append(('train', 'mlp', '--data', pipe, '-o', self.folder / 'm.onnx'))
        for command in commands:
            for sent in (signal.SIGINT, signal.SIGTERM):
                process = self.start(*command)
                self.wait_for(process, lambda: self.is_read(pipe))
                process.send_signal(sent)
                self.assertEqual(process.wait(timeout=60), -sent, command)
        self.assertFalse([name for name in self.files() if name.startswith('.halftone')])

    def test_a_signal_that_is_ignored_stays_so(self):
        pipe = self.pipe('x.npz')
        process = self.start('evaluate', self.model, '--data', pipe, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        self.wait_for(process, lambda: self.is_read(pipe))
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(process.wait(timeout=60), -signal.SIGTERM)


    def test_a_full_standard_output(self):
        self.quantize()
        q = self.folder / 'q.onnx'
        for command in (('evaluate', self.model, '--data', self.data), ('verify', q, '--data', self.data), ('inspect', q),
                        ('calibrate', self.model, '--data', self.data, *FEW, '-o', self.folder / 'c.json'),
                        ('quantize', self.model, '--data', self.data, *FEW, '-o', self.folder / 'r.onnx')):
            with open('/dev/full', 'w') as full:
                done = subprocess.run([HALFTONE, *map(str, command)], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, BAD, command)
            self.assertIn('cannot write to standard output', done.stderr)

    def test_an_array_through_a_pipe(self):
        with open(self.input, 'rb') as array:
            piped = subprocess.run([HALFTONE, 'run', self.model, '--input', '/dev/stdin', '--output', str(self.folder / 'y.npy')],
                                   stdin=subprocess.Popen(['cat'], stdin=array, stdout=subprocess.PIPE).stdout, capture_output=True, text=True)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.run_it('run', self.model, '--input', self.input, '--output', self.folder / 'z.npy')
        self.assertEqual((self.folder / 'y.npy').read_bytes(), (self.folder / 'z.npy').read_bytes())

    def test_an_output_among_dumped_values(self):
        dump = self.folder / 'dump'
        dump.mkdir()
        self.expect_error('run', self.model, '--input', self.input, '--dump', dump, '--output', f'output={dump}/flat.npy', code=USAGE,
                          says='given for two outputs')
        self.assertEqual(list(dump.iterdir()), [])

    def test_a_pipe_that_nobody_reads(self):
        big = save(self.folder / 'big.onnx', [helper.make_node('Relu', ['input'], ['output'])], {}, inputs=(('input', ['N', 1 << 18]),), outputs=(('output', ['N', 1 << 18]),))
        np.save(self.folder / 'big.npy', np.zeros((1, 1 << 18), np.float32))
        before = self.contents()
        process = self.start('run', big, '--input', self.folder / 'big.npy', '--output', self.folder / 'y.npy', '--output', 'output=/dev/stdout')
        process.stdout.close()
        process.wait(timeout=60)
        self.assertEqual(process.returncode, BAD)
        self.assertIn('Broken pipe', process.stderr.read().decode())
        self.assertEqual(self.contents(), before)
        process = self.start('inspect', self.model, '--json')
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), -signal.SIGPIPE)


class Limits(FilesTest):
    def limited(self, *arguments, **limits):
        def limit():
            for name, most in limits.items():
                resource.setrlimit(getattr(resource, f'RLIMIT_{name}'), (most, most))
        return subprocess.run([HALFTONE, *map(str, arguments)], capture_output=True, text=True, timeout=300, preexec_fn=limit)

    def expect_one_line(self, done, codes):
        self.assertIn(done.returncode, codes, done.stderr[-500:])
        if done.returncode == BAD:
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
            self.assertTrue(done.stderr.startswith('halftone'), done.stderr)
            self.assertNotIn('[internal]', done.stderr)

    def test_files_that_may_not_grow(self):
        self.quantize()
        whole = self.folder / 'q.onnx'
        for limit in (0, 1024, 20000):
            for command in (('quantize', self.model, '--data', self.data, *FEW, '-o', self.folder / 'o.onnx'),
                            ('run', self.model, '--data', self.data, '--dump', self.folder / 'values', '--output', self.folder / 'y.npz'),
                            ('export', whole, '--testbench', self.folder / 'tb', '--data', self.data)):
                before = self.contents()
                done = self.limited(*command, FSIZE=limit)
                if limit < 20000 or done.returncode != 0:
                    self.expect_one_line(done, (BAD,))
                    self.assertIn('File too large', done.stderr)
                    self.assertEqual(self.contents(), before)

    def test_memory_that_is_limited(self):
        if SANITIZED:
            print('skipped: sanitizers map terabytes')
            return
        self.quantize()
        q = self.folder / 'q.onnx'
        commands = (('evaluate', self.model, q, '--data', self.data, '--threads', 64), ('evaluate', q, '--data', 'digits', '--samples', 500, '--threads', 4),
                    ('quantize', self.model, '--data', self.data, *FEW, '--bits', 'w4a4', '-o', self.folder / 'o.onnx', '--threads', 4),
                    ('verify', q, '--data', self.data, '--threads', '1,4'), ('analyze', self.model, q, '--data', self.data, '--threads', 4),
                    ('calibrate', self.model, '--data', self.data, '-o', self.folder / 'r.json'), ('run', q, '--input', self.input))
        for command in commands:
            codes = set()
            for kilobytes in range(60000, 400000, 17000):
                with self.subTest(command=command[0], kilobytes=kilobytes):
                    done = self.limited(*command, AS=kilobytes * 1024, CORE=0)
                    codes.add(done.returncode)
                    # 127: the loader found no room for the libraries, and the program did not begin.
                    self.expect_one_line(done, (0, BAD, 127))
            self.assertIn(0, codes, command)

    def test_threads_that_are_not_to_be_had(self):
        if SANITIZED:
            print('skipped: sanitizers start threads of their own')
            return
        other = {'user': 65534, 'extra_groups': []} if os.geteuid() == 0 else {}  # root is not bound by the limit
        os.chmod(self.folder, 0o755)
        command = [HALFTONE, 'evaluate', self.model, '--data', self.data, '--threads', '8', '--json']
        try:
            subprocess.run([HALFTONE, '--version'], capture_output=True, check=True, **other)
        except (PermissionError, subprocess.CalledProcessError):
            print('skipped: another user does not reach the program')
            return
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **other,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (0, 0)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), json.loads(self.run_it('evaluate', self.model, '--data', self.data, '--json').stdout))


if __name__ == '__main__':
    unittest.main()
