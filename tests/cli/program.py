"""Running `halftone` in a scratch folder, and small networks to run it on."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALFTONE = os.environ['HALFTONE']


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_it(self, *arguments, code=0):
        done = subprocess.run([HALFTONE, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, code, f'halftone {arguments}: {done.stdout}{done.stderr}')
        return done

    def expect_no_progress(self, done):
        """Nothing on standard error but warnings, which untrained networks give."""
        for line in done.stderr.splitlines(keepends=True):
            self.assertRegex(line, '^warning: [^\\r]*\n$')

    def expect_error(self, *arguments, code, says=''):
        """One clear line on standard error, nothing on standard output, this exit code."""
        done = self.run_it(*arguments, code=code)
        self.assertEqual(done.stdout, '')
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        self.assertTrue(done.stderr.startswith('halftone'), done.stderr)
        self.assertIn(says, done.stderr)
        return done.stderr

    def files(self):
        return sorted(p.name for p in self.folder.iterdir())


def save(path, nodes, initializers, inputs=(('input', ['N', 1, 28, 28]),), outputs=(('output', ['N', 10]),), opset=13):
    graph = helper.make_graph(
        nodes, 'test', [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs],
        [numpy_helper.from_array(a, n) for n, a in initializers.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])
    model.ir_version = 7
    onnx.save(model, str(path))
    return path


def tests_in(suite):
    """Each test of a suite of suites."""
    for each in suite:
        yield from tests_in(each) if isinstance(each, unittest.TestSuite) else (each,)


def main_two_at_once():
    """unittest.main, two tests at a time: each waits for one process after the other."""
    if len(sys.argv) > 1:
        unittest.main()

    def run(test):
        result = unittest.TestResult()
        test.run(result)
        return result

    tests = list(tests_in(unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, tests))
    for result in results:
        for test, said in result.failures + result.errors:
            print(f'FAIL: {test}\n{said}')
        for test, reason in result.skipped:
            print(f'skipped: {test}: {reason}')
    failed = sum(not result.wasSuccessful() for result in results)
    print(f'{len(tests)} tests, {failed} failed')
    sys.exit(failed > 0 or not tests)


# Bits alone, without what fewer than 8 of them come with.
PLAIN = ['--nearest', '--correct-bias=none', '--observer', 'minmax', '--weight-observer', 'minmax']


def save_mlp(path, seed=1, bias=0.0, last=None, activation='Tanh'):
    """A 784-16-10 network, its first biases around `bias` (None: without); `last` puts one more node behind it."""
    random = np.random.default_rng(seed)
    weights = {'w1': random.normal(0, 0.05, (16, 784)).astype(np.float32),
               'w2': random.normal(0, 0.3, (10, 16)).astype(np.float32)}
    if bias is not None:
        weights['b1'] = random.normal(bias, 0.1, 16).astype(np.float32)
    nodes = [helper.make_node('Flatten', ['input'], ['flat'], 'flatten'),
             helper.make_node('Gemm', ['flat', 'w1'] + (['b1'] if bias is not None else []), ['h'], 'fc1', transB=1),
             helper.make_node(activation, ['h'], ['a'], activation.lower() + '1'),
             helper.make_node('Gemm', ['a', 'w2'], ['output' if last is None else 'scores'], 'fc2', transB=1)]
    if last is not None:
        nodes.append(last)
    return save(path, nodes, weights)


def save_residual(path, seed=1):
    """A small convolutional network with a residual sum, a MaxPool whose result is joined with another, and an AveragePool with padding."""
    random = np.random.default_rng(seed)
    weights = {'w1': random.normal(0, 0.3, (4, 1, 3, 3)), 'b1': random.normal(0, 0.2, 4), 'w2': random.normal(0, 0.3, (4, 4, 3, 3)), 'b2': random.normal(0, 0.2, 4),
               'w3': random.normal(0, 0.3, (4, 2, 3, 3)), 'wt': random.normal(0, 0.3, (4, 2, 2, 2)), 'wf': random.normal(0, 0.1, (10, 6 * 7 * 7)), 'bf': random.normal(0, 0.1, 10)}
    nodes = [helper.make_node('Conv', ['input', 'w1', 'b1'], ['c1'], 'conv1', pads=[1] * 4, strides=[2, 2]), helper.make_node('Relu', ['c1'], ['r1'], 'relu1'),
             helper.make_node('Conv', ['r1', 'w2', 'b2'], ['c2'], 'conv2', pads=[1] * 4), helper.make_node('Add', ['c2', 'r1'], ['s'], 'sum'), helper.make_node('Relu', ['s'], ['r2'], 'relu2'),
             helper.make_node('Conv', ['r2', 'w3'], ['c3'], '../up/conv3', pads=[2] * 4, dilations=[2, 2], group=2), helper.make_node('Mul', ['c3', 'r1'], ['p'], 'gate'),
             helper.make_node('MaxPool', ['p'], ['m'], 'largest', kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node('AveragePool', ['m'], ['a'], 'mean', kernel_shape=[3, 3], pads=[1] * 4), helper.make_node('ConvTranspose', ['m', 'wt'], ['t'], 'spread'),
             helper.make_node('AveragePool', ['t'], ['u'], 'pairs', kernel_shape=[2, 2]), helper.make_node('Concat', ['a', 'u'], ['j'], 'join', axis=1),
             helper.make_node('Flatten', ['j'], ['f'], 'flat'), helper.make_node('Gemm', ['f', 'wf', 'bf'], ['output'], 'scores', transB=1)]
    return save(path, nodes, {name: array.astype(np.float32) for name, array in weights.items()})
