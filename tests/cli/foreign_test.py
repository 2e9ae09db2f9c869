#!/usr/bin/env python3
"""Other people's text and files: names that move the cursor or lead out of a folder, paths that lead nowhere, small files of
much content, and files of ours that a hand or a disk has changed."""
import gzip
import json
import os
import resource
import struct
import subprocess
import time
import unicodedata
import unittest
import zipfile
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from program import HALFTONE, ProgramTest, save

USAGE, BAD_INPUT = 2, 3
SANITIZED = bool(os.environ.get('HALFTONE_SANITIZE'))
EVIL = '\x1b[31mRED\x1b[0m\nforged  Conv  Nx1\r\x7f\x9b2J\u202eevil\u2066\u200f\u061c\u2028\u0085end'
LONG = 'n' * 1_000_000


def tiny(path, conv='conv', fc='fc', x='x', y='y'):
    """3x8x8 to four classes: Conv, Relu, GlobalAveragePool, Flatten, Gemm."""
    random = np.random.default_rng(3)
    nodes = [helper.make_node('Conv', [x, 'k', 'b'], ['c'], conv, kernel_shape=[3, 3], pads=[1] * 4),
             helper.make_node('Relu', ['c'], ['r'], 'relu'), helper.make_node('GlobalAveragePool', ['r'], ['g'], 'pool'),
             helper.make_node('Flatten', ['g'], ['f'], 'flat'), helper.make_node('Gemm', ['f', 'w'], [y], fc, transB=1)]
    weights = {'k': random.normal(0, 0.3, (5, 3, 3, 3)), 'b': random.normal(0, 0.1, 5), 'w': random.normal(0, 0.5, (4, 5))}
    return save(path, nodes, {n: a.astype(np.float32) for n, a in weights.items()}, [(x, ['N', 3, 8, 8])], [(y, ['N', 4])])


def png(rows, width, depth=8, colour=0):
    def chunk(kind, body):
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, len(rows), depth, colour, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(b''.join(b'\0' + row for row in rows), 9)) + chunk(b'IEND', b''))


class ForeignTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny(self.folder / 'm.onnx')
        random = np.random.default_rng(1)
        self.data = self.folder / 'd.npz'
        np.savez(self.data, x=random.normal(size=(20, 3, 8, 8)).astype(np.float32), y=np.arange(20) % 4)
        self.ranges = self.folder / 'r.json'
        self.run_it('calibrate', self.model, '--data', self.data, '-o', self.ranges)

    def expect_plain(self, text):
        """Text of lines, and nothing in it that a terminal acts on."""
        for c in text.replace('\n', ''):
            self.assertNotIn(unicodedata.category(c), ('Cc', 'Cf', 'Zl', 'Zp', 'Cs'), ascii(text))

    def run_bounded(self, *arguments, megabytes, seconds, code=BAD_INPUT):
        """Ends within so much memory and time of the processor, with one line where it refuses."""
        def limit():
            if not SANITIZED:
                resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds * (10 if SANITIZED else 1),) * 2)
        done = subprocess.run([HALFTONE, *map(str, arguments)], capture_output=True, text=True, preexec_fn=limit)
        self.assertEqual(done.returncode, code, f'{arguments}: {done.stdout}{done.stderr}')
        if code == BAD_INPUT:
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
            self.assertNotIn('[internal]', done.stderr)
            self.assertNotIn('[memory]', done.stderr)
        return done.stderr


class Names(ForeignTest):
    def test_no_name_of_a_model_reaches_the_terminal_raw(self):
        model = tiny(self.folder / 'evil.onnx', conv=EVIL, fc=EVIL + '2', x=EVIL + 'x', y=EVIL + 'y')
        quantized = self.folder / 'q.onnx'
        np.savez(self.folder / 'evil.npz', **{EVIL + 'x': np.load(self.data)['x'], 'y': np.load(self.data)['y']})
        data = self.folder / 'evil.npz'
        np.save(self.folder / 'x.npy', np.load(self.data)['x'][:2])
        commands = [['quantize', model, '--data', data, '-o', quantized], ['inspect', model], ['inspect', quantized], ['inspect', model, '--check'],
                    ['evaluate', model, quantized, '--data', data], ['evaluate', quantized, '--data', data, '--reference', model],
                    ['analyze', model, quantized, '--data', data, '--html', self.folder / 'a.html'], ['verify', quantized, '--data', data],
                    ['export', quantized, '--npz', self.folder / 'w.npz'], ['run', quantized, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npz', '--dump', self.folder / 'dump'],
                    ['search', model, '--data', data, '--size', '60%', '--bits', 'w4a8,w8a8']]
        lines = {}
        for command in commands:
            with self.subTest(command[0]):
                done = subprocess.run([HALFTONE, *map(str, command)], capture_output=True, text=True)
                self.assertIn(done.returncode, (0, 1, USAGE, BAD_INPUT), done.stderr)
                self.assertNotIn('[internal]', done.stderr)
                self.expect_plain(done.stdout + done.stderr)
                lines[command[0]] = done.stdout
        self.assertIn('\\x1b[31mRED\\x1b[0m\\x0aforged', lines['verify'])
        self.assertIn('\\u202eevil', lines['export'])
        page = (self.folder / 'a.html').read_text()
        self.expect_plain(page)
        self.assertIn('forged', page)

    def test_json_keeps_true_names_and_plain_bytes(self):
        model = tiny(self.folder / 'evil.onnx', conv=EVIL)
        done = self.run_it('inspect', model, '--json')
        self.assertTrue(done.stdout.isascii())
        self.expect_plain(done.stdout)
        self.assertEqual(json.loads(done.stdout)['layers'][0]['name'], EVIL)

    def test_names_that_are_not_utf8_are_shown_or_refused(self):
        content = self.model.read_bytes().replace(b'conv', b'co\xff\x9b')
        (self.folder / 'bytes.onnx').write_bytes(content)
        for command in (['inspect'], ['inspect', '--json'], ['inspect', '--check'], ['quantize', '--data', self.data, '-o', self.folder / 'q.onnx'],
                        ['calibrate', '--data', self.data, '-o', self.folder / 'c.json'], ['export', '--npz', self.folder / 'w.npz']):
            with self.subTest(command):
                done = subprocess.run([HALFTONE, command[0], self.folder / 'bytes.onnx', *map(str, command[1:])], capture_output=True)
                self.assertIn(done.returncode, (0, BAD_INPUT), done.stderr)
                self.assertNotIn(b'[internal]', done.stderr)
                self.expect_plain((done.stdout + done.stderr).decode())

    def test_a_name_of_a_megabyte_makes_short_lines(self):
        model = tiny(self.folder / 'long.onnx', conv=LONG, y=LONG + 'y')
        quantized = self.folder / 'q.onnx'
        for command in (['inspect', model], ['inspect', model, '--check'], ['quantize', model, '--data', self.data, '-o', quantized], ['inspect', quantized],
                        ['verify', quantized, '--data', self.data], ['run', model, '--data', self.data, '--index', '99'], ['run', model, '--input', 'z=z.npy']):
            done = subprocess.run([HALFTONE, *map(str, command)], capture_output=True, text=True)
            self.assertLess(len(done.stdout + done.stderr), 8000, command)
        self.assertIn('…', self.run_it('inspect', model).stdout)

    def test_arguments_are_other_peoples_text_too(self):
        for command in (['inspect', EVIL], [EVIL], ['inspect', self.model, EVIL], ['run', self.model, '--input', EVIL], ['evaluate', self.model, '--data', EVIL],
                        ['inspect', self.model, '--' + EVIL], ['quantize', self.model, '--observer', EVIL, '-o', 'q.onnx']):
            done = subprocess.run([HALFTONE, *map(str, command)], capture_output=True, text=True)
            self.assertIn(done.returncode, (USAGE, BAD_INPUT))
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
            self.expect_plain(done.stderr)


class Paths(ForeignTest):
    def commands(self, path):
        """Every option of every command that takes a path, with this one."""
        m, d, q, out = self.model, self.data, self.folder / 'q.onnx', self.folder / 'out.onnx'
        self.run_it('quantize', m, '--ranges', self.ranges, '-o', q)
        yield from (['inspect', path], ['inspect', path, '--check'], ['export', path, '--npz', 'w.npz'], ['verify', path, '--data', d], ['run', path, '--data', d],
                    ['calibrate', path, '--data', d, '-o', out], ['quantize', path, '--data', d, '-o', out], ['evaluate', path, '--data', d],
                    ['analyze', path, q, '--data', d], ['analyze', m, path, '--data', d], ['sweep', path, '--data', d, '-o', 's.csv'],
                    ['search', path, '--data', d, '--size', '60%'])
        sources = (['--data', path], ['--data', str(path) + '.npz'], ['--data', str(path) + '.npy'], ['--data', str(path) + '/'], ['--images', path, '--preset', 'raw'],
                   ['--images', self.folder, '--labels', path, '--preset', 'raw'])
        for source in sources:
            yield from (['calibrate', m, *source, '-o', out], ['quantize', m, *source, '-o', out], ['evaluate', m, *source], ['analyze', m, q, *source],
                        ['verify', q, *source], ['sweep', m, *source, '-o', 's.csv'], ['search', m, *source, '--size', '60%'])
            if source[0] == '--data':
                yield ['run', m, *source]
        yield from (['calibrate', m, '--data', d, '-o', path], ['quantize', m, '--data', d, '-o', path], ['quantize', m, '--data', d, '-o', out, '--float-output', path],
                    ['quantize', m, '--ranges', path, '-o', out], ['quantize', m, '--data', d, '--recipe', path, '-o', out], ['export', m, '--npz', str(path) + '.npz'],
                    ['evaluate', m, '--data', d, '--reference', path], ['evaluate', m, '--data', d, '--reference', str(path) + '.npz'],
                    ['evaluate', m, '--data', d, '--reference', str(path) + '.npy'], ['analyze', m, q, '--data', d, '--html', path], ['analyze', m, q, '--data', d, '--json', path],
                    ['run', m, '--input', str(path) + '.npy'], ['run', m, '--input', str(path) + '.npz'], ['run', m, '--data', d, '--output', str(path) + '.npy'],
                    ['run', m, '--data', d, '--output', str(path) + '.npz'], ['run', m, '--data', d, '--dump', path], ['sweep', m, '--data', d, '-o', path],
                    ['sweep', m, '--data', d, '-o', 's.csv', '--html', path], ['sweep', m, '--data', d, '-o', 's.csv', '--json', path],
                    ['search', m, '--data', d, '--size', '60%', '-o', path], ['search', m, '--data', d, '--size', '60%', '--recipe', path],
                    ['search', m, '--data', d, '--size', '60%', '--html', path], ['model', 'lenet', '-o', path])

    def refuse(self, path):
        for command in self.commands(path):
            short = [str(c)[-40:] for c in command]
            done = subprocess.run([HALFTONE, *map(str, command)], capture_output=True, text=True, cwd=self.folder, timeout=300)
            self.assertIn(done.returncode, (USAGE, BAD_INPUT), f'{short}: {done.stdout[-300:]}{done.stderr[-300:]}')
            self.assertEqual(done.stderr.count('\n'), 1, f'{short}: {done.stderr}')
            self.assertNotIn('[internal]', done.stderr, short)
            self.assertLess(len(done.stderr), 3000, short)

    def test_a_loop_of_links(self):
        for name in ('loop', 'loop.npz', 'loop.npy'):
            (self.folder / name).symlink_to(name)
        self.refuse(self.folder / 'loop')

    def test_a_name_that_is_too_long(self):
        self.refuse(self.folder / ('n' * 5000))

    def test_a_folder_that_is_too_long(self):
        self.refuse(self.folder / ('n' * 5000) / 'x')

    def test_a_loop_of_links_among_pictures(self):
        folder = self.folder / 'pictures'
        (folder / 'a').mkdir(parents=True)
        (folder / 'a' / 'p.png').write_bytes(png([bytes(8)] * 8, 8))
        for loop in (folder / 'b', folder / 'a' / 'q.png'):
            loop.symlink_to(loop.name)
            self.expect_error('evaluate', self.model, '--images', folder, '--preset', 'raw', code=BAD_INPUT, says=loop.name)
            loop.unlink()


class Archives(ForeignTest):
    def test_members_of_what_is_written_stay_in_their_folder(self):
        names = ['../../../tmp/x', '/abs', 'C:\\x', 'a/../../b', '..\\y', EVIL, 'plain/name:0', '_abs']
        for name in names:
            model = tiny(self.folder / 'm2.onnx', conv=name, y=name)
            self.run_it('quantize', model, '--ranges', self.renamed(name), '-o', self.folder / 'q.onnx')
            for source in (model, self.folder / 'q.onnx'):
                listed = json.loads(self.run_it('export', source, '--npz', self.folder / 'w.npz', '--json').stdout)['layers']
                self.run_it('run', source, '--data', self.data, '--output', self.folder / 'y.npz')
                for file in ('w.npz', 'y.npz'):
                    for member in zipfile.ZipFile(self.folder / file).namelist():
                        self.assertFalse(member.startswith('/') or '\\' in member or member[1:2] == ':', member)
                        self.assertNotIn('..', member.split('/'), member)
                        self.expect_plain(member)
                arrays = np.load(self.folder / 'w.npz')
                self.assertEqual([layer['name'] for layer in listed], [name, 'fc'])
                for layer in listed:
                    self.assertIn(layer['arrays'] + '.weight', arrays)
                if name in ('plain/name:0', '_abs'):
                    self.assertEqual(listed[0]['arrays'], name)
                    self.assertEqual(zipfile.ZipFile(self.folder / 'y.npz').namelist(), [name + '.npy'])

    def renamed(self, name):
        calibration = json.loads(self.ranges.read_text())
        calibration['values'] = {name if n == 'y' else n: v for n, v in calibration['values'].items()}
        (self.folder / 'renamed.json').write_text(json.dumps(calibration))
        return self.folder / 'renamed.json'

    def test_two_names_do_not_become_one(self):
        model = tiny(self.folder / 'm2.onnx', conv='/a', fc='_a')
        listed = json.loads(self.run_it('export', model, '--npz', self.folder / 'w.npz', '--json').stdout)['layers']
        self.assertEqual([layer['arrays'] for layer in listed], ['_a_', '_a'])
        arrays = np.load(self.folder / 'w.npz')
        self.assertEqual((arrays['_a_.weight'].shape, arrays['_a.weight'].shape), ((5, 3, 3, 3), (4, 5)))

    def bomb(self, path, arrays):
        """Zeros of these types and shapes, a thousandth of their size packed."""
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, (dtype, shape) in arrays.items():
                with archive.open(name + '.npy', 'w') as out:
                    header = repr({'descr': dtype, 'fortran_order': False, 'shape': shape}).encode() + b'\n'
                    out.write(b'\x93NUMPY\1\0' + struct.pack('<H', len(header)) + header)
                    left = int(np.prod(shape)) * np.dtype(dtype).itemsize
                    while left:
                        left -= out.write(bytes(min(left, 1 << 24)))
        return path

    def test_an_archive_is_judged_by_its_headers(self):
        rows = 300_000
        much, right, labels = ('|u1', (rows, 3, 32, 32)), ('|u1', (rows * 16, 3, 8, 8)), ('<i8', (3,))
        for name, arrays in {'another shape': {'x': much}, 'labels of other rows': {'x': right, 'y': labels}, 'no images at all': {'z': much, 'y': labels},
                             'floats as labels': {'x': ('|u1', (rows, 3, 8, 8)), 'y': ('<f8', (rows,))},
                             'rows of no inputs': {'x': ('<f8', (30_000_000,)), 'y': labels}}.items():
            with self.subTest(name):
                bomb = self.bomb(self.folder / 'b.npz', arrays)
                self.assertLess(bomb.stat().st_size, 3 << 20)
                for command in (['evaluate', self.model], ['run', self.model]):
                    self.run_bounded(*command, '--data', bomb, megabytes=700, seconds=2)

    def test_arrays_that_nobody_asks_for_are_not_unpacked(self):
        bomb = self.bomb(self.folder / 'b.npz', {'x': ('|u1', (5, 3, 8, 8)), 'y': ('|u1', (5,)), 'more': ('|u1', (900_000_000,))})
        self.run_bounded('evaluate', self.model, '--data', bomb, '--threads', '1', megabytes=700, seconds=3, code=0)

    def test_idx_files_are_judged_by_their_headers(self):
        folder = self.folder / 'idx'
        folder.mkdir()
        images, labels = folder / 't10k-images-idx3-ubyte.gz', folder / 't10k-labels-idx1-ubyte'
        zeros = gzip.compress(bytes(1 << 24)) * 90
        labels.write_bytes(struct.pack('>II', 2049, 5) + bytes(5))
        for name, start in {'no magic': b'', 'another count': struct.pack('>IIII', 2051, 1 << 20, 28, 28), 'far more than it says': struct.pack('>IIII', 2051, 5, 28, 28)}.items():
            with self.subTest(name):
                images.write_bytes(gzip.compress(start) + zeros)
                self.run_bounded('run', self.model, '--data', folder, megabytes=700, seconds=2)

    def test_packed_arrays_and_pictures_are_bounded(self):
        (self.folder / 'x.npy').write_bytes(gzip.compress(bytes(1 << 24)) * 90)
        self.run_bounded('evaluate', self.model, '--data', self.folder / 'x.npy', megabytes=700, seconds=2)
        self.run_bounded('run', self.model, '--input', self.folder / 'x.npy', megabytes=700, seconds=2)
        (self.folder / 'x.npz').write_bytes(gzip.compress(bytes(1 << 24)) * 90)
        self.run_bounded('evaluate', self.model, '--data', self.folder / 'x.npz', megabytes=700, seconds=2)


class Pictures(ForeignTest):
    def test_large_pictures_are_read_one_at_a_time(self):
        folder = self.folder / 'pictures' / 'c'
        folder.mkdir(parents=True)
        side = 8192
        content = png([bytes(side // 8)] * side, side, depth=1)
        self.assertLess(len(content), 20_000)
        for name in 'abcd':
            (folder / f'{name}.png').write_bytes(content)
        started = time.time()
        self.run_bounded('evaluate', self.model, '--images', folder.parent, '--preset', 'raw', '--threads', 4, megabytes=900, seconds=40, code=0)
        print(f'four pictures of {side}x{side}: {time.time() - started:.1f} s')

    def test_a_picture_past_the_limit_is_refused_by_its_header(self):
        folder = self.folder / 'pictures' / 'c'
        folder.mkdir(parents=True)
        side = 8193
        (folder / 'a.png').write_bytes(png([bytes(side // 8 + 1)] * side, side, depth=1))
        says = self.run_bounded('evaluate', self.model, '--images', folder.parent, '--preset', 'raw', megabytes=600, seconds=2)
        self.assertIn('at most 67108864 pixels', says)


class OwnFiles(ForeignTest):
    def test_a_recipe_of_any_names_makes_the_same_file_again(self):
        weights = '\ncode = "affine"\nbits = 4\n'
        for name in ('a\nb', '\n', "'''", 'a\'\'\'\n"""\\', '\r\n\t\x00\x1b', '\u202e\u0085\u2028', '"', 'x' * 9000 + '.' * 9000, 'é # [x] = 1'):
            with self.subTest(ascii(name[:20])):
                model = tiny(self.folder / 'odd.onnx', conv=name)
                escaped = ''.join(f'\\U{ord(c):08x}' for c in name)
                (self.folder / 'r.toml').write_text(f'version = 1\n[[layer]]\nname = "{escaped}"{weights}')
                data = self.folder / f"set '{name[:3]!r}'.npz"
                data.write_bytes(self.data.read_bytes())
                for out, recipe in (('1', self.folder / 'r.toml'), ('2', self.folder / '1.recipe.toml'), ('3', self.folder / '2.recipe.toml')):
                    more = ['--data', data] if out == '1' else []
                    self.run_it('quantize', model, *more, '--recipe', recipe, '-o', self.folder / f'{out}.onnx')
                for again in ('2', '3'):
                    self.assertEqual((self.folder / f'{again}.onnx').read_bytes(), (self.folder / '1.onnx').read_bytes())
                    self.assertEqual((self.folder / f'{again}.recipe.toml').read_bytes(), (self.folder / '1.recipe.toml').read_bytes())

    def refused(self, text, says):
        (self.folder / 'bad.json').write_text(text)
        self.expect_error('quantize', self.model, '--ranges', self.folder / 'bad.json', '-o', self.folder / 'q.onnx', code=BAD_INPUT, says=says)
        self.assertFalse((self.folder / 'q.onnx').exists())

    def test_a_calibration_that_contradicts_itself_is_refused(self):
        text = self.ranges.read_text()
        name = 'x'
        self.refused(text.replace('"values": {', '"values": {"x": {"range": [-7, 7]},', 1), "'x': is there twice")

        def changed(**parts):
            calibration = json.loads(text)
            calibration['values'][name].update(parts)
            return json.dumps(calibration)
        seen = json.loads(text)['values'][name]
        self.refused(changed(samples=[[-5, 0, 1]]), "'x': a sample's index is -5")
        self.refused(changed(samples=seen['samples'] + seen['samples'][:1]), "'x': sample 0 is there twice")
        self.refused(changed(samples=[[0, seen['seen'][0] - 1, 0]]), "'x': sample 0 has the range")
        self.refused(changed(bins=seen['bins'] + seen['bins'][:1]), "'x': [histogram] bin")
        self.refused(changed(bins=[[0, 1]], seen=[-0.5, 0.5]), "'x'")
        self.refused(text + '\0', 'a byte that is 0')
        self.refused(text + '{}', 'no JSON')

    def test_a_calibration_of_much_content_takes_little_memory(self):
        head = '{"halftone_calibration": 1, "equalized": false, "values": {'
        texts = {'numbers': head + '"x": {"bins": [' + '1,' * 8_000_000 + '1]}}}', 'objects': head + '"x": {"bins": [' + '{},' * 5_000_000 + '{}]}}}',
                 'depth': head + '"x": ' + '[' * 16_000_000,
                 'values': head + ','.join(f'"{i}":{{"seen":[0,1],"zeros":0,"exponent":-10,"bins":[[2048,1]],"samples":[]}}' for i in range(100_000)) + '}}'}
        for name, text in texts.items():
            with self.subTest(name):
                (self.folder / 'much.json').write_text(text)
                self.run_bounded('quantize', self.model, '--ranges', self.folder / 'much.json', '-o', self.folder / 'q.onnx', megabytes=1300, seconds=6)


if __name__ == '__main__':
    unittest.main()
