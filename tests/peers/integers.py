"""Networks of operators on integers, node by node: what ONNX Runtime makes of the integers Halftone computed."""
import re
from collections import defaultdict

import numpy as np
import onnx
from onnx import helper, numpy_helper

# How many elements of an operator may differ from ONNX Runtime's when both are given the same integers.
MUST_EQUAL = {'QLinearConv', 'QLinearMatMul', 'QGemm', 'QLinearGlobalAveragePool', 'MaxPool', 'QuantizeLinear',
              'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice', 'Gather', 'Expand', 'Identity', 'Pad',
              'Resize', 'Concat'}
INTEGERS = (np.int8, np.uint8)


def read_dump(folder, name):
    """The value of a name as `halftone run --dump` wrote it, or None."""
    file = folder / (re.sub(r'[^A-Za-z0-9_.-]', '_', name) + '.npy')
    return np.load(file) if file.exists() else None


def one_node_model(model, node, feeds, path):
    """A model of this node alone: its constants as they are, what it is fed as inputs."""
    constants = [t for t in model.graph.initializer if t.name in node.input]
    inputs = [helper.make_tensor_value_info(name, onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[a.dtype], a.shape)
              for name, a in feeds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    made = helper.make_model(helper.make_graph([node], 'node', inputs, outputs, constants),
                             opset_imports=list(model.opset_import))
    made.ir_version = model.ir_version
    path.write_bytes(made.SerializeToString())
    return path


class NodeChecks:
    """Collects nodes with Halftone's integers; compares them once ONNX Runtime has run."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.pending = []  # (network, node, Halftone's result, index of the job)
        self.operators = defaultdict(lambda: {'nodes': 0, 'elements': 0, 'differ': 0, 'steps': 0})
        self.failures = []

    def add(self, network, model_path, dump):
        """Every node of the file with integers on both sides or one; returns how many were left out."""
        model = onnx.load(str(model_path))
        constants = {t.name for t in model.graph.initializer}
        left_out = 0
        for i, node in enumerate(model.graph.node):
            feeds = {name: read_dump(dump, name) for name in node.input if name and name not in constants}
            results = read_dump(dump, node.output[0])
            if results is None or any(v is None for v in feeds.values()):
                left_out += 1
                continue
            if results.dtype not in INTEGERS:
                continue
            path = one_node_model(model, node, feeds, dump / f'node{i}.onnx')
            self.pending.append((network, node, results, self.runtime.add(path, feeds)))
        return left_out

    def compare(self):
        for network, node, ours, job in self.pending:
            theirs = self.runtime.results[job]
            if isinstance(theirs, str):
                self.failures.append(f'{network}: {node.op_type} {node.output[0]}: ONNX Runtime says {theirs[:300]}')
                continue
            theirs = theirs[node.output[0]]
            if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
                self.failures.append(f'{network}: {node.op_type} {node.output[0]} is {ours.dtype} {ours.shape}, '
                                     f'ONNX Runtime has {theirs.dtype} {theirs.shape}')
                continue
            steps = np.abs(ours.astype(int) - theirs.astype(int))
            count = self.operators[node.op_type]
            count['nodes'] += 1
            count['elements'] += steps.size
            count['differ'] += np.count_nonzero(steps)
            count['steps'] = max(count['steps'], int(steps.max(initial=0)))
            if node.op_type in MUST_EQUAL and steps.any():
                at = tuple(int(v) for v in np.unravel_index(steps.argmax(), steps.shape))
                self.failures.append(f'{network}: {node.op_type} {node.output[0]}: {np.count_nonzero(steps)} of '
                                     f'{steps.size} elements differ, at {at} {ours[at]} for {theirs[at]}')

    def print(self):
        print(f'{"operator on integers":26}{"nodes":>7}{"elements":>10}{"differ":>8}{"at most":>9}')
        for op, c in sorted(self.operators.items()):
            print(f'{op:26}{c["nodes"]:7}{c["elements"]:10}{c["differ"]:8}{c["steps"]:6} steps'
                  f'{"" if op in MUST_EQUAL else "  (counted)"}')


def scale_of_output(model_path):
    """The scale of the last DequantizeLinear when that is the result, else None."""
    model = onnx.load(str(model_path))
    constants = {t.name: t for t in model.graph.initializer}
    for node in model.graph.node:
        if node.output[0] == model.graph.output[0].name and node.op_type == 'DequantizeLinear' \
                and node.input[1] in constants:
            return float(numpy_helper.to_array(constants[node.input[1]]))
    return None
