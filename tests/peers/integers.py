"""Networks of operators on integers, node by node: what ONNX Runtime makes of the integers Halftone computed."""
import re
from collections import defaultdict

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Every operator must give ONNX Runtime's integers when both are given the same. Only islands, floats between
# Dequantize and Quantize whose names end like this, may be one step apart: counted.
ISLAND = ' island'
# The operators before a Clip of their integers, which Halftone computes as one.
BOUNDED = '+Clip'
PLUMBING = ('DequantizeLinear', 'QuantizeLinear', 'Constant')
INTEGERS = (np.int8, np.uint8)


def most_steps(operator):
    """How far apart the elements of an operator may be."""
    return 1 if operator.endswith(ISLAND) else 0


def name_of(nodes):
    """What the last of these nodes and those before it are called in the table of results."""
    *before, last = [n.op_type for n in nodes if n.op_type != 'Constant']
    if not before:
        return last
    if last == 'Clip' and len(before) == 1:
        return before[0] + BOUNDED
    return '+'.join(op for op in [*before, last] if op not in PLUMBING) + ISLAND


def read_dump(folder, name):
    """The value of a name as `halftone run --dump` wrote it, or None."""
    file = folder / (re.sub(r'[^A-Za-z0-9_.-]', '_', name) + '.npy')
    return np.load(file) if file.exists() else None


def nodes_back_to(model, node, known):
    """The node, and those before it, back to values that are known; the names of these values."""
    producers = {o: n for n in model.graph.node for o in n.output}
    nodes, given, todo = [], [], [node]
    while todo:
        current = todo.pop()
        if current in nodes:
            continue
        nodes.insert(0, current)
        for name in current.input:
            if name in producers and not known(name):
                todo.append(producers[name])
            elif name and known(name) and name not in given:
                given.append(name)
    order = [n for n in model.graph.node if any(n is m for m in nodes)]
    return order, given


def model_of(model, nodes, feeds, path):
    """A model of these nodes alone: their constants as they are, what they are fed as inputs."""
    used = {name for node in nodes for name in node.input}
    constants = [t for t in model.graph.initializer if t.name in used and t.name not in feeds]
    inputs = [helper.make_tensor_value_info(name, onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[a.dtype], a.shape)
              for name, a in feeds.items()]
    outputs = [onnx.ValueInfoProto(name=nodes[-1].output[0])]
    made = helper.make_model(helper.make_graph(nodes, 'node', inputs, outputs, constants),
                             opset_imports=list(model.opset_import))
    made.ir_version = model.ir_version
    path.write_bytes(made.SerializeToString())
    return path


class NodeChecks:
    """Collects nodes with Halftone's integers; compares them once ONNX Runtime has run."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.pending = []  # (network, operator, value, Halftone's result, index of the job)
        self.operators = defaultdict(lambda: {'nodes': 0, 'elements': 0, 'differ': 0, 'steps': 0})
        self.failures = []

    def add(self, network, model_path, dump):
        """Every node of the file whose result is integers. Where Halftone has no value of its operands, the nodes
        before it too: an island, of which Halftone may have made integers."""
        model = onnx.load(str(model_path))
        constants = {t.name for t in model.graph.initializer}
        for i, node in enumerate(model.graph.node):
            result = read_dump(dump, node.output[0])
            if result is None or result.dtype not in INTEGERS:
                continue
            nodes, given = nodes_back_to(model, node, lambda name: name not in constants
                                         and read_dump(dump, name) is not None)
            feeds = {name: read_dump(dump, name) for name in given}
            path = model_of(model, nodes, feeds, dump / f'node{i}.onnx')
            self.pending.append((network, name_of(nodes), node.output[0], result, self.runtime.add(path, feeds)))

    def compare(self):
        for network, operator, name, ours, job in self.pending:
            theirs = self.runtime.results[job]
            where = f'{network}: {operator} {name}'
            if isinstance(theirs, str):
                self.failures.append(f'{where}: ONNX Runtime says {theirs[:300]}')
            elif theirs[name].shape != ours.shape or theirs[name].dtype != ours.dtype:
                self.failures.append(f'{where} is {ours.dtype} {ours.shape}, ONNX Runtime has '
                                     f'{theirs[name].dtype} {theirs[name].shape}')
            else:
                self.count(where, operator, ours, theirs[name])

    def count(self, where, operator, ours, theirs):
        steps = np.abs(ours.astype(int) - theirs.astype(int))
        count = self.operators[operator]
        count['nodes'] += 1
        count['elements'] += steps.size
        count['differ'] += np.count_nonzero(steps)
        count['steps'] = max(count['steps'], int(steps.max(initial=0)))
        if steps.max(initial=0) > most_steps(operator):
            at = tuple(int(v) for v in np.unravel_index(steps.argmax(), steps.shape))
            self.failures.append(f'{where}: {np.count_nonzero(steps)} of {steps.size} elements differ, '
                                 f'at {at} {ours[at]} for {theirs[at]}')

    def print(self, form):
        print(f'{"nodes of files as " + form:26}{"nodes":>7}{"elements":>10}{"differ":>8}{"at most":>9}')
        for op, c in sorted(self.operators.items()):
            print(f'{op:26}{c["nodes"]:7}{c["elements"]:10}{c["differ"]:8}{c["steps"]:6} steps'
                  f'{"  (counted)" if most_steps(op) > 0 else ""}')


def scale_of_output(model_path):
    """The scale of the last DequantizeLinear when that is the result, else None."""
    model = onnx.load(str(model_path))
    constants = {t.name: t for t in model.graph.initializer}
    for node in model.graph.node:
        if node.output[0] == model.graph.output[0].name and node.op_type == 'DequantizeLinear' \
                and node.input[1] in constants:
            return float(numpy_helper.to_array(constants[node.input[1]]))
    return None
