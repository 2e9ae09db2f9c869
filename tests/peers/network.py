"""Writes ONNX networks node by node, for any operator set: the builder of the random networks."""
import math
from collections import namedtuple

import numpy as np
from onnx import TensorProto, helper, numpy_helper

Value = namedtuple('Value', 'name shape dtype')
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
NAMES = ['v', 'x', '/layer.0/conv/', 'a b ', 'größe', 'out:0;', '"q"', '../up/', '100%', '$', 'net::f(', "it's"]


class Network:
    """A network in the making. `r` is its random generator; every value has a known shape."""

    def __init__(self, rng, opset, shape, open_batch=False, prefix=None):
        self.r, self.opset, self.open_batch = rng, opset, open_batch
        self.nodes, self.initializers, self.operators = [], [], set()
        self.prefix = prefix or (NAMES[rng.integers(len(NAMES))] if rng.random() < 0.4 else 'v')
        self.count = 0
        self.input = Value(self.fresh(), tuple(shape), FLOAT)
        self.output = None

    def fresh(self):
        self.count += 1
        return f'{self.prefix}{self.count}'

    def pick(self, *options):
        return options[self.r.integers(len(options))]

    def chance(self, probability):
        return self.r.random() < probability

    def between(self, lo, hi):
        """An integer of lo … hi, both included."""
        return int(self.r.integers(lo, hi + 1))

    def constant(self, array, dtype=None):
        """A weight, as an initializer or now and then as a Constant node."""
        array = np.asarray(array, dtype)
        tensor = numpy_helper.from_array(array, self.fresh())
        value = Value(tensor.name, array.shape, tensor.data_type)
        if self.r.random() < 0.15:
            self.operators.add('Constant')
            self.nodes.append(helper.make_node('Constant', [], [value.name], value=tensor))
        else:
            self.initializers.append(tensor)
        return value

    def normal(self, shape, scale=1.0, shift=0.0):
        return self.constant((self.r.standard_normal(shape) * scale + shift).astype(np.float32))

    def integers(self, values):
        return self.constant(np.asarray(values, np.int64))

    def add(self, op, inputs, shape, dtype=FLOAT, domain='', **attributes):
        """A node with one result of the given shape; None stands for an input left out."""
        return self.add_many(op, inputs, [shape], dtype, domain, **attributes)[0]

    def add_many(self, op, inputs, shapes, dtype=FLOAT, domain='', **attributes):
        results = [Value(self.fresh(), tuple(int(d) for d in shape), dtype) for shape in shapes]
        names = ['' if i is None else i.name for i in inputs]
        while names and not names[-1]:
            names.pop()
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(op, names, [r.name for r in results], domain=domain,
                                           name=self.pick('', f'{self.prefix}n{self.count}'), **attributes))
        self.operators.add(op)
        return results

    def same(self, op, x, **attributes):
        """A node whose result has the shape of its operand."""
        return self.add(op, [x], x.shape, **attributes)

    def save(self, path, outputs=None):
        graph_input = list(self.input.shape)
        if self.open_batch:
            graph_input[0] = 'N'
        outputs = outputs or [self.output]
        graph = helper.make_graph(
            self.nodes, 'random', [helper.make_tensor_value_info(self.input.name, FLOAT, graph_input)],
            [helper.make_tensor_value_info(o.name, o.dtype, None) for o in outputs], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset),
                                                        helper.make_opsetid('com.microsoft', 1)])
        model.ir_version = 8
        path.write_bytes(model.SerializeToString())
        return path


def window_sizes(size, kernel, stride, pad, dilation=1, ceil=False):
    """The output length of a window along one dimension, as ONNX defines it."""
    span = size + pad - dilation * (kernel - 1) - 1
    out = (-(-span // stride) if ceil else span // stride) + 1
    return out


def elements(shape):
    return int(math.prod(shape))


def broadcast(a, b):
    return np.broadcast_shapes(a, b)
