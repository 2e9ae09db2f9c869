#!/usr/bin/env python3
"""Every command of docs/training.md runs, on small data and for few epochs."""
import os
import pathlib
import re
import shlex
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from program import ProgramTest

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'training.md'


def commands():
    for block in re.findall(r'^```\n(.*?)^```', PAGE.read_text(), re.M | re.S):
        for line in block.splitlines():
            if 'halftone ' in line:
                yield line


def save_convolution(path, channels, size, classes):
    """Conv, BatchNormalization, Relu, mean, Gemm."""
    random = np.random.default_rng(2)
    constants = {'w': random.normal(0, 0.3, (6, channels, 3, 3)), 'scale': np.ones(6), 'shift': np.zeros(6), 'mean': np.zeros(6), 'var': np.ones(6), 'g': random.normal(0, 0.5, (6, classes))}
    nodes = [helper.make_node('Conv', ['input', 'w'], ['c'], pads=[1, 1, 1, 1]),
             helper.make_node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'var'], ['n']),
             helper.make_node('Relu', ['n'], ['r']), helper.make_node('GlobalAveragePool', ['r'], ['m']),
             helper.make_node('Flatten', ['m'], ['f']), helper.make_node('Gemm', ['f', 'g'], ['output'])]
    graph = helper.make_graph(nodes, 'network', [helper.make_tensor_value_info('input', TensorProto.FLOAT, ['N', channels, size, size])],
                              [helper.make_tensor_value_info('output', TensorProto.FLOAT, ['N', classes])],
                              [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8), path)


class TrainingDocs(ProgramTest):
    def words_of(self, line):
        """A command of the page with small data in place of what it names."""
        words = [word for word in shlex.split(line) if not re.match(r'(RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT)=', word)]
        self.assertEqual(words[0], 'halftone')
        fewer = {'--epochs': '1', '--float-epochs': '1', '--held-out': '100', '--patience': '1'}
        for i, word in enumerate(words):
            if words[i - 1] in fewer:
                words[i] = fewer[words[i - 1]]
            if words[i - 1] == '--data':
                words[i] = {'mnist': 'digits', 'cifar10': str(self.folder / 'colours.npz')}[word]
            if words[i - 1] == '--images':
                words[i - 1:i + 1] = ['--data', str(self.folder / 'pictures.npy')]
        return words[1:] + ['--samples', '60' if 'pictures' in line or '--images' in line else '600'] * ('colours' not in ' '.join(words))

    def test_every_command_of_the_page(self):
        random = np.random.default_rng(1)
        np.savez(self.folder / 'colours.npz', x=random.integers(0, 256, (64, 3, 8, 8), np.uint8), y=np.arange(64) % 10)
        np.save(self.folder / 'pictures.npy', random.integers(0, 256, (64, 3, 8, 8), np.uint8))
        save_convolution(self.folder / 'resnet20.onnx', 3, 8, 10)
        save_convolution(self.folder / 'mobilenetv2.onnx', 3, 8, 10)
        count = 0
        here = pathlib.Path.cwd()
        try:
            os.chdir(self.folder)
            for line in commands():
                words = self.words_of(line)
                self.run_it(*words)
                self.assertTrue((self.folder / words[words.index('-o') + 1]).exists(), line)
                count += 1
        finally:
            os.chdir(here)
        self.assertGreater(count, 8)


if __name__ == '__main__':
    unittest.main()
