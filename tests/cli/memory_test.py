#!/usr/bin/env python3
"""Reading a model takes the memory of its weights and little more, however they are stored."""
import gzip
import subprocess
import sys
import unittest

import numpy as np
import onnx
from onnx import helper

from program import HALFTONE, ProgramTest, save

MOST = 1.3  # peak memory over that of a program that does nothing, by the bytes of the model


# A process that starts as a copy of this one counts this one's memory as its own; a small one is put between.
SMALL = '''
import os, sys
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))
'''


def peak_bytes(*arguments):
    """Peak resident memory and exit code."""
    out = subprocess.run([sys.executable, '-S', '-c', SMALL, HALFTONE, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    return map(int, out.split())


class Memory(ProgramTest):
    def setUp(self):
        super().setUp()
        self.idle, _ = peak_bytes('--version')

    def save_layers(self, name, sizes):
        """A chain of Gemm of these (outputs, inputs), 250 MB in all."""
        random = np.random.default_rng(1)
        weights = {f'w{i}': random.standard_normal(size, np.float32) for i, size in enumerate(sizes)}
        nodes = [helper.make_node('Gemm', [f'h{i}', f'w{i}'], [f'h{i + 1}'], transB=1) for i in range(len(sizes))]
        path = save(self.folder / name, nodes, weights, inputs=(('h0', ['N', sizes[0][1]]),), outputs=((f'h{len(sizes)}', ['N', sizes[-1][0]]),))
        self.assertGreater(path.stat().st_size, 245e6)
        return path

    def expect_within(self, model, size, most=MOST):
        peak, code = peak_bytes('inspect', model)
        self.assertEqual(code, 0)
        ratio = (peak - self.idle) / size
        print(f'{model.name}: {size / 1e6:.0f} MB, peak {peak / 1e6:.0f} MB of which idle {self.idle / 1e6:.0f} MB: {ratio:.2f} times')
        self.assertLess(ratio, most)

    def test_many_layers_and_the_same_weights_outside(self):
        path = self.save_layers('many.onnx', [(2048, 2048)] * 15)
        self.expect_within(path, path.stat().st_size)
        onnx.save(onnx.load(path), str(self.folder / 'outside.onnx'), save_as_external_data=True, location='outside.data')
        self.expect_within(self.folder / 'outside.onnx', path.stat().st_size)

    def test_weights_in_the_typed_field(self):
        path = self.folder / 'typed.onnx'
        values = np.random.default_rng(1).standard_normal(26000 * 2400, np.float32)
        weights = onnx.TensorProto(name='w', data_type=onnx.TensorProto.FLOAT, dims=[26000, 2400], float_data=values.tolist())
        graph = helper.make_graph([helper.make_node('Gemm', ['x', 'w'], ['y'], transB=1)], 'g', [helper.make_tensor_value_info('x', 1, ['N', 2400])],
                                  [helper.make_tensor_value_info('y', 1, ['N', 26000])], [weights])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)]), str(path))
        self.expect_within(path, path.stat().st_size)

    def test_one_layer_that_is_most_of_the_model_and_packed(self):
        path = self.save_layers('one.onnx', [(26000, 2048), (10, 26000), (2500, 10), (3700, 2500)])
        self.expect_within(path, path.stat().st_size)
        packed = self.folder / 'packed.onnx'
        with gzip.open(packed, 'wb', compresslevel=1) as out:
            out.write(path.read_bytes())
        # Unpacked, the size is not known before: a long tensor is moved as it grows.
        self.expect_within(packed, path.stat().st_size, most=2)


if __name__ == '__main__':
    unittest.main()
