"""Quantized files of others in every order that ONNX allows: the integers do not depend on it."""
import pathlib
import random
import sys
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest

QONNX = 'qonnx.custom_op.general'
NETWORKS = 8  # of each kind
ORDERS = 3


def int4(name, q):
    """Two integers a byte, the first in its low bits."""
    nibbles = np.append(q.flatten(), [0] * (q.size % 2)).astype('u1') & 15
    return onnx.TensorProto(name=name, data_type=22, dims=q.shape, raw_data=(nibbles[::2] | nibbles[1::2] << 4).astype('u1').tobytes())


class Network:
    """Two Convs and a Gemm with all that one draw of `seed` decides: shared weights, biases and scales, bits, rounding."""

    def __init__(self, seed):
        self.pick = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.nodes, self.weights, self.packed = [], {}, []
        self.channels = self.pick.choice([2, 3])
        self.scale = self.pick.choice([2.0 ** -4, 0.05, 0.0625])
        self.shares = self.pick.random() < 0.7  # one constant for all scales of activations
        self.shares_weights = self.pick.random() < 0.5

    def node(self, op, inputs, outputs, domain='', **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, f'{op}_{outputs[0]}', domain=domain, **attributes))

    def constant(self, name, array):
        self.weights.setdefault(name, np.asarray(array))
        return name

    def reals(self, *shape):
        return self.numbers.normal(0, .5, shape).astype('f4')

    def model(self, order, opset=21, operators=()):
        """The same network, its nodes in an order of their own that can be run, its initializers in any."""
        shuffle = random.Random(order)
        computed = {output for node in self.nodes for output in node.output}
        nodes, known = list(self.nodes), set()
        ordered = []
        while nodes:
            ready = [n for n in nodes if all(i in known or i not in computed for i in n.input)]
            chosen = ready[0] if order == 0 else shuffle.choice(ready)
            nodes.remove(chosen)
            known.update(chosen.output)
            ordered.append(chosen)
        tensors = [numpy_helper.from_array(a, n) for n, a in self.weights.items()] + self.packed
        if order != 0:
            shuffle.shuffle(tensors)
        c = self.channels
        graph = helper.make_graph(ordered, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['N', c, 4, 4])],
                                  [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['N', 3])], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset), *[helper.make_opsetid(d, 1) for d in operators]])
        model.ir_version = 10
        return model

    def layers(self, quantized, weights, bias):
        """x, conv1, [Relu], conv2, [MaxPool], Flatten, fc; each operand through the function for its kind."""
        c = self.channels
        x = quantized('x', 'x')
        for n in (1, 2):
            suffix = '' if self.shares_weights else str(n)
            inputs = [x, weights(f'w{suffix}', (c, c, 3, 3), n)]
            if self.pick.random() < 0.7:
                inputs.append(bias(f'b{suffix}', f'w{suffix}', c, n))
            self.node('Conv', inputs, [f'c{n}'], pads=[1] * 4)
            last = f'c{n}'
            if self.pick.random() < 0.5:
                self.node('Relu', [last], [f'r{n}'])
                last = f'r{n}'
            x = quantized(last, f'a{n}')
        self.node('Flatten', [x], ['flat'])
        self.node('Gemm', [quantized('flat', 'f') if self.pick.random() < 0.3 else 'flat', weights('w3', (3, 16 * c), 3)], ['h'], transB=1)
        self.node('Identity', [quantized('h', 'z')], ['y'])

    def scale_of(self, name):
        return self.constant('scale' if self.shares else f'{name}_scale', np.float32(self.scale))


def qdq(seed):
    net = Network(seed)
    bits16 = net.pick.random() < 0.2
    channelwise = net.pick.random() < 0.6
    scales = {}

    def quantized(value, name):
        zero = net.constant('zero' if net.shares else f'{name}_zero', np.array(3, 'i2' if bits16 else 'i1'))
        parameters = [net.scale_of(name), zero]
        net.node('QuantizeLinear', [value, *parameters], [f'{name}_q'])
        net.node('DequantizeLinear', [f'{name}_q', *parameters], [f'{name}_d'])
        return f'{name}_d'

    def weights(name, shape, n):
        whole = net.pick.random() < 0.5
        if name not in scales:
            w = net.reals(*shape)
            narrow = net.pick.random() < 0.3
            levels = 7 if narrow else 127
            s = (np.abs(w).reshape(shape[0], -1).max(1) / levels).astype('f4') if channelwise else np.float32(np.abs(w).max() / levels)
            scales[name] = s
            by_channel = s.reshape(-1, *[1] * (len(shape) - 1)) if channelwise else s
            q = np.clip(np.rint(w / by_channel), -levels, levels).astype('i1')
            net.constant(f'{name}_scale', s)
            if whole:
                net.constant(f'{name}_real', w)
                net.constant(f'{name}_zero', np.zeros(np.shape(s), 'i1'))
                net.node('QuantizeLinear', [f'{name}_real', f'{name}_scale', f'{name}_zero'], [f'{name}_q'], axis=0)
            elif narrow:
                net.packed.append(int4(f'{name}_q', q))
            else:
                net.constant(f'{name}_q', q)
        net.node('DequantizeLinear', [f'{name}_q', f'{name}_scale'], [f'{name}_d{n}'], axis=0)
        return f'{name}_d{n}'

    def bias(name, of, channels, n):
        if f'{name}_float' in net.weights or net.pick.random() < 0.5:
            return net.constant(f'{name}_float', net.reals(channels))
        s = net.constant(f'{of}_{name}_scale', np.float32(net.scale) * scales[of])
        net.constant(f'{name}_q', net.numbers.integers(-200, 200, channels).astype('i4'))
        net.node('DequantizeLinear', [f'{name}_q', s], [f'{name}_d{n}'], axis=0)
        return f'{name}_d{n}'

    net.layers(quantized, weights, bias)
    return lambda order: net.model(order)


def qonnx(seed):
    net = Network(seed)
    bits = net.pick.choice([2, 3, 4, 5, 8])
    narrow = net.pick.choice([0, 1])

    def quantized(value, name):
        inputs = [value, net.scale_of(name), net.constant('z', np.float32(0)), net.constant('eight', np.float32(8))]
        net.node('Quant', inputs, [f'{name}_q'], QONNX, signed=1, narrow=net.pick.choice([0, 1]), rounding_mode='ROUND')
        return f'{name}_q'

    def weights(name, shape, n):
        real = net.constant(name, net.reals(*shape))
        scale = net.constant('w_scale', np.float32(.1)) if net.shares else net.constant(f'{name}_scale', net.numbers.uniform(.05, .1, (shape[0], *[1] * (len(shape) - 1))).astype('f4'))
        net.node('Quant', [real, scale, net.constant('z', np.float32(0)), net.constant('bits', np.float32(bits))], [f'{name}_q{n}'], QONNX,
                 signed=1, narrow=narrow, rounding_mode='ROUND')
        return f'{name}_q{n}'

    def bias(name, of, channels, n):
        return net.constant(name, net.reals(channels))

    net.layers(quantized, weights, bias)
    return lambda order: net.model(order, opset=13, operators=[QONNX])


def qoperator(seed):
    net = Network(seed)
    c = net.channels
    s_w = {}

    def parameters(name):
        return [net.scale_of(name), net.constant('zero' if net.shares else f'{name}_zero', np.array(net.pick.choice([-3, 0, 7]), 'i1'))]

    def weights(name, shape):
        s_w.setdefault(name, net.numbers.uniform(.004, .008, shape[0]).astype('f4') if net.pick.random() < 0.5 else np.float32(.006))
        return [net.constant(f'{name}_q', net.numbers.integers(-127, 128, shape).astype('i1')), net.constant(f'{name}_scale', s_w[name]),
                net.constant('no_zero', np.array(0, 'i1'))]

    x = ['x_q', *parameters('x')]
    net.node('QuantizeLinear', ['x', *x[1:]], ['x_q'])
    for n in (1, 2):
        name = 'w' if net.shares_weights else f'w{n}'
        y = parameters(f'a{n}')
        inputs = [*x, *weights(name, (c, c, 3, 3)), *y]
        if net.pick.random() < 0.6:
            inputs.append(net.constant(f'{name}_bias', net.numbers.integers(-500, 500, c).astype('i4')))
        if np.ndim(s_w[name]):
            inputs[5] = net.constant(f'{name}_zero', np.zeros(c, 'i1'))
        net.node('QLinearConv', inputs, [f'a{n}_q'], pads=[1] * 4)
        x = [f'a{n}_q', *y]
    net.node('Flatten', [x[0]], ['flat'])
    y = parameters('z')
    net.constant('w3_q', net.numbers.integers(-127, 128, (16 * c, 3)).astype('i1'))
    net.node('QLinearMatMul', ['flat', *x[1:], 'w3_q', net.constant('w3_scale', np.float32(.003)), net.constant('no_zero', np.array(0, 'i1')), *y], ['z_q'])
    net.node('DequantizeLinear', ['z_q', *y], ['y'])
    return lambda order: net.model(order)


class NodeOrderTest(ProgramTest):
    def integers(self, path, folder):
        self.run_it('run', path, '--input', self.folder / 'x.npy', '--output', self.folder / 'y.npy', '--dump', folder)
        return {p.name: np.load(p) for p in folder.iterdir()} | {'the output': np.load(self.folder / 'y.npy')}

    def check(self, kind, first_seed):
        for seed in range(first_seed, first_seed + NETWORKS):
            make = kind(seed)
            expected = None
            for order in range(ORDERS):
                path = self.folder / f'{kind.__name__}{seed}_{order}.onnx'
                model = make(order)
                onnx.save(model, str(path))
                channels = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
                np.save(self.folder / 'x.npy', np.random.default_rng(seed).normal(0, 1, (4, channels, 4, 4)).astype('f4'))
                found = self.integers(path, self.folder / path.stem)
                expected = expected or found
                self.assertEqual(found.keys(), expected.keys(), path.name)
                for name, value in found.items():
                    np.testing.assert_array_equal(value, expected[name], err_msg=f'{path.name} {name}')
                self.run_it('verify', path, '--data', self.folder / 'x.npy')
            self.assertGreater(len(np.unique(expected['the output'])), 1, path.name)

    def test_pairs(self):
        self.check(qdq, 100)

    def test_quant_nodes(self):
        self.check(qonnx, 200)

    def test_operators_on_integers(self):
        self.check(qoperator, 300)


if __name__ == '__main__':
    unittest.main()
