#!/usr/bin/env python3
"""Bad input ends in one clear line, the right exit code, and no file left behind."""
import gzip
import struct
import subprocess
import unittest

import numpy as np
from onnx import helper

from program import ProgramTest, save, save_mlp

USAGE, BAD = 2, 3


class BadInput(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = save_mlp(self.folder / 'mlp.onnx')
        self.output = self.folder / 'out' / 'q.onnx'
        self.output.parent.mkdir()

    def quantize_fails(self, model, code=BAD, says='', data='digits', output=None):
        message = self.expect_error('quantize', model, '--data', data, '-o', output or self.output, code=code, says=says)
        self.assertEqual(list(self.output.parent.iterdir()), [])
        return message

    def test_usage(self):
        for arguments in ([], ['fly'], ['quantize'], ['evaluate', self.model], ['quantize', self.model, '--data', 'digits'],
                          ['quantize', self.model, '--data', 'digits', '-o', self.output, '--bits', 'w3a17'],
                          ['quantize', self.model, '--data', 'digits', '-o', self.output, '--arithmetic', 'magic'],
                          ['quantize', self.model, '--data', 'digits', '-o', self.output, '--calibration-samples', '-3'],
                          ['quantize', self.model, '--data', 'digits', '-o', self.output, '--symmetric', '--asymmetric'],
                          ['run', self.model], ['run', self.model, '--data', 'digits', '--index', '99999999'],
                          ['evaluate', self.model, '--data', 'nosuchset'], ['evaluate', self.model, '--data', 'digits', '--preset', 'pink']):
            with self.subTest(arguments):
                self.expect_error(*arguments, code=USAGE)
        self.assertEqual(list(self.output.parent.iterdir()), [])

    def test_empty_arguments(self):
        for arguments in (['inspect', self.model, ''], ['inspect', self.model, '', '--json'], ['inspect', self.model, '--json', '', '--check'],
                          ['quantize', self.model, '', '--data', 'digits', '-o', self.output]):
            self.expect_error(*arguments, code=USAGE, says='empty argument')

    def test_missing_files(self):
        self.quantize_fails(self.folder / 'none.onnx', says='No such file')
        self.quantize_fails(self.model, data=self.folder / 'nowhere.npz', code=BAD)
        self.expect_error('quantize', self.model, '--data', 'digits', '-o', self.folder / 'no/such/folder/q.onnx', code=BAD)
        self.quantize_fails(self.folder, says='directory')

    def test_damaged_models(self):
        whole = self.model.read_bytes()
        damaged = self.folder / 'damaged.onnx'
        for content in (b'', b'\x00', b'hello', whole[:100], whole[:len(whole) // 2], whole[:-1], b'\xff' * 1000,
                        gzip.compress(whole)[:-9], b'\x1f\x8b' + bytes(30)):
            damaged.write_bytes(content)
            self.quantize_fails(damaged)
            self.expect_error('inspect', damaged, code=BAD)

    def test_unsupported_operators_are_all_named_before_any_work(self):
        nodes = [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'), helper.make_node('Wobble', ['flat'], ['a'], 'local_norm', size=3),
                 helper.make_node('Det', ['a'], ['output'], 'determinant')]
        model = save(self.folder / 'odd.onnx', nodes, {})
        message = self.quantize_fails(model, says="Wobble 'local_norm'")
        self.assertIn("Det 'determinant'", message)

    def test_weights_that_are_no_numbers(self):
        w = np.zeros((10, 784), np.float32)
        nodes = [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'), helper.make_node('Gemm', ['flat', 'w'], ['output'], 'fc', transB=1)]
        for value, says in ((np.nan, 'NaN'), (np.inf, '')):
            w[3, 5] = value
            self.quantize_fails(save(self.folder / 'nan.onnx', nodes, {'w': w}), says=says)

    def test_wrong_shapes(self):
        self.expect_error('evaluate', self.model, '--data', self.npz(np.zeros((4, 3, 8, 8), np.uint8), np.zeros(4, np.int64)), code=BAD, says='input')
        self.expect_error('evaluate', self.model, '--data', self.npz(np.zeros((4, 28, 28), np.uint8), np.zeros(3, np.int64)), code=BAD)

    def test_samples_of_no_use(self):
        for x, says in ((np.zeros((0, 28, 28), np.uint8), 'no samples'), (np.zeros((4, 3, 8, 8), np.uint8), 'expected rows of Nx1x28x28'),
                        (np.array(['a', 'b', 'c', 'd']), 'element type'), (np.zeros((4, 28, 28), np.complex64), 'element type'),
                        (np.full((4, 1, 28, 28), np.finfo(np.float32).max, np.float32), 'in sample 0')):
            self.quantize_fails(self.model, data=self.npz(x, np.zeros(len(x), np.int64)), says=says)

    def test_a_format_that_cannot_hold_the_network_is_refused_before_any_work(self):
        self.expect_error('quantize', self.model, '--data', 'digits', '-o', self.output, '--bits', 'w4a4', '--adaround', '--adaround-steps', 1000000,
                          '--format', 'qoperator', code=BAD, says='--format qdq')

    def npz(self, x, y):
        np.savez(self.folder / 'set.npz', x=x, y=y)
        return self.folder / 'set.npz'

    def test_nan_in_samples(self):
        x = np.zeros((4, 1, 28, 28), np.float32)
        x[2, 0, 3, 3] = np.nan
        self.quantize_fails(self.model, data=self.npz(x, np.arange(4)), says='input')

    def test_damaged_arrays(self):
        np.save(self.folder / 'x.npy', np.zeros((1, 1, 28, 28), np.float32))
        whole = (self.folder / 'x.npy').read_bytes()
        for content in (b'', whole[:8], whole[:60], whole[:-1], b'\x93NUMPX' + whole[6:], whole.replace(b"'<f4'", b"'|O8'"),
                        whole.replace(b'(1, 1, 28, 28)', b'(99999999999,)')):
            (self.folder / 'bad.npy').write_bytes(content)
            self.expect_error('run', self.model, '--input', self.folder / 'bad.npy', '--output', self.output, code=BAD)
        self.assertEqual(list(self.output.parent.iterdir()), [])

    def test_damaged_data_sets(self):
        folder = self.folder / 'mnist'
        folder.mkdir()

        def idx(magic, dims, body):
            return struct.pack(f'>{1 + len(dims)}I', magic, *dims) + body
        images, labels = idx(2051, (2, 28, 28), bytes(2 * 784)), idx(2049, (2,), bytes(2))
        for bad_images, bad_labels in ((images[:-1], labels), (images[:7], labels), (idx(2050, (2, 28, 28), bytes(1568)), labels),
                                       (idx(2051, (2**32 - 1,) * 3, b''), labels), (images, idx(2049, (3,), bytes(3))),
                                       (images, idx(2049, (2,), b'\x00')), (gzip.compress(images)[:-5], labels), (b'', b'')):
            for part in ('train', 't10k'):
                (folder / f'{part}-images-idx3-ubyte').write_bytes(bad_images)
                (folder / f'{part}-labels-idx1-ubyte').write_bytes(bad_labels)
            self.quantize_fails(self.model, data=folder)
            self.expect_error('evaluate', self.model, '--data', folder, code=BAD)

    def test_full_disk(self):
        self.expect_error('quantize', self.model, '--data', 'digits', '-o', '/dev/full', code=BAD, says='No space left')

    def test_full_file_system_leaves_nothing(self):
        small = self.folder / 'small'
        small.mkdir()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', small], capture_output=True).returncode != 0:
            self.skipTest('mounting a small file system needs root')
        try:
            self.expect_error('quantize', self.model, '--data', 'digits', '-o', small / 'q.onnx', code=BAD, says='No space left')
            self.assertEqual(list(small.iterdir()), [])
        finally:
            subprocess.run(['umount', small], check=True)

    def test_quantizing_twice_and_verifying_float(self):
        self.run_it('quantize', self.model, '--data', 'digits', '-o', self.folder / 'q.onnx')
        self.quantize_fails(self.folder / 'q.onnx', says='quantized already')
        self.expect_error('verify', self.model, '--data', 'digits', code=BAD, says='not quantized')

    def test_a_failure_keeps_the_old_file(self):
        old = self.folder / 'old.onnx'
        old.write_bytes(b'precious')
        self.expect_error('quantize', self.folder / 'none.onnx', '--data', 'digits', '-o', old, code=BAD)
        self.assertEqual(old.read_bytes(), b'precious')


if __name__ == '__main__':
    unittest.main()
