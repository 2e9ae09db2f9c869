"""Files of others: one operator on integers each, of int8 or uint8, with scales and zero points at random and, now and
then, scales that make ties."""
import numpy as np

from network import Network
from saturation import held

SHAPES = [((2, 3, 5, 7), (2, 3, 5, 7)), ((2, 3, 5, 7), (1, 3, 1, 1)), ((2, 3, 1, 1), (2, 3, 5, 7)), ((4, 9), (9,)),
          ((1, 5), (5, 1)), ((3, 40), (1, 1))]
COUNT = 120


class Operator:
    """A network of float operands, quantized, one operator on them, its result dequantized."""

    def __init__(self, seed):
        self.rng = np.random.default_rng([77, seed])
        self.type = np.uint8 if seed % 2 else np.int8
        self.ties = seed % 3 == 0

    def scale(self, lo=-7, hi=-3):
        power = self.rng.uniform(lo, hi)
        return float(np.float32(2.0 ** (round(power) if self.ties else power)))

    def zero(self):
        info = np.iinfo(self.type)
        return self.type(self.rng.integers(info.min // 2, info.max // 2 + 1))

    def triple(self, n, x, shape, scale):
        """Integers of the float x, spread over the whole range."""
        s, z = n.constant(np.float32(scale)), n.constant(self.zero())
        wide = n.add('Mul', [x, n.constant(np.float32(60 * scale))], shape)
        return [n.add('QuantizeLinear', [wide, s, z], shape), s, z]

    def result(self, n, scale):
        return [n.constant(np.float32(scale)), n.constant(self.zero())]


def binary(op, seed):
    o = Operator(seed)
    a_shape, b_shape = SHAPES[seed // 6 % len(SHAPES)]
    count = [int(np.prod(s)) for s in (a_shape, b_shape)]
    n = Network(o.rng, 17, [1, sum(count)], prefix='v')
    parts = n.add_many('Split', [n.input, n.integers(count)], [[1, c] for c in count], axis=1)
    s_a, s_b = o.scale(), o.scale()
    operands = []
    for part, shape, s in zip(parts, (a_shape, b_shape), (s_a, s_b)):
        operands += o.triple(n, n.add('Reshape', [part, n.integers(shape)], shape), shape, s)
    s_y = (s_a + s_b) * 0.8 if op == 'QLinearAdd' else s_a * s_b * 80
    s_y = 2.0 ** round(np.log2(s_y)) if o.ties else s_y
    shape = np.broadcast_shapes(a_shape, b_shape)
    return n, o, n.add(op, [*operands, *o.result(n, s_y)], shape, domain='com.microsoft')


def pool(op, seed):
    o = Operator(seed)
    shape = [(2, 3, 7, 9), (1, 4, 12), (2, 2, 3, 3)][seed // 6 % 3]
    n = Network(o.rng, 17, shape, prefix='v')
    s = o.scale()
    x = o.triple(n, n.input, shape, s)
    attributes = {}
    if op == 'QLinearAveragePool':
        kernel = [n.between(1, 3) for _ in shape[2:]]
        attributes = {'kernel_shape': kernel, 'strides': [n.between(1, 2) for _ in kernel],
                      'pads': [n.between(0, k - 1) for k in kernel * 2], 'count_include_pad': n.between(0, 1)}
    return n, o, n.add(op, [*x, *o.result(n, s / 2 if o.ties else s * 0.7)], (), domain='com.microsoft', **attributes)


def table(op, seed):
    o = Operator(seed)
    n = Network(o.rng, 17, (3, 4, 50), prefix='v')
    s = o.scale()
    x = o.triple(n, n.input, n.input.shape, s)
    s_y = 1 / 256 if op == 'QLinearSigmoid' else s * (0.5 if o.ties else 0.7)
    if op == 'QLinearConcat':
        other = o.triple(n, n.input, n.input.shape, s * (2 if o.ties else 0.61))
        return n, o, n.add(op, [*o.result(n, s_y), *x, *other], (), domain='com.microsoft', axis=1)
    attributes = {'alpha': 0.25 if o.ties else 0.3} if op == 'QLinearLeakyRelu' else {}
    return n, o, n.add(op, [*x, *o.result(n, s_y)], (), domain='com.microsoft', **attributes)


def linear(op, seed):
    """Convolution and matrix products, weights of either type, by channel or tensor, with and without a bias."""
    o = Operator(seed)
    shape = [(2, 4, 7, 9), (2, 4, 6, 1), (1, 4, 3, 3)][seed // 6 % 3] if op == 'QLinearConv' else (3, 24)
    n = Network(o.rng, 17, shape, prefix='v')
    s_x = o.scale()
    x = o.triple(n, n.input, shape, s_x)
    m = 6
    w_type = np.uint8 if o.type == np.uint8 and n.chance(0.5) else np.int8
    info = np.iinfo(w_type)
    channel = n.chance(0.5)
    w_shape, count = [24, m], 24
    if op == 'QLinearConv':
        group = n.pick(1, 2)
        w_shape, count = [m, 4 // group, min(3, shape[2]), min(3, shape[3])], 36 // group
    s_w = (2.0 ** o.rng.uniform(-8, -6, m if channel else [])).astype(np.float32)
    w = [n.constant(held(o.rng.integers(info.min, info.max + 1, w_shape).astype(w_type))), n.constant(s_w),
         n.constant(np.full(s_w.shape, n.pick(0, 3, 100), w_type))]
    bias = n.constant(o.rng.integers(-20000, 20000, m).astype(np.int32)) if n.chance(0.7) else None
    y = o.result(n, s_x * float(np.mean(s_w)) * count ** 0.5 * 50)
    if op == 'QLinearConv':
        pads = [n.between(0, k - 1) for k in w_shape[2:] * 2]
        return n, o, n.add(op, [*x, *w, *y, bias], (), group=group, pads=pads, strides=n.pick([1, 1], [2, 1]))
    if op == 'QGemm':
        return n, o, n.add(op, [*x, *w, bias, *y], (3, m), domain='com.microsoft')
    return n, o, n.add(op, [*x, *w, *y], (3, m))


MAKERS = [('QLinearConv', linear), ('QLinearMatMul', linear), ('QGemm', linear),
          ('QLinearAdd', binary), ('QLinearMul', binary), ('QLinearAveragePool', pool),
          ('QLinearGlobalAveragePool', pool), ('QLinearSigmoid', table), ('QLinearLeakyRelu', table),
          ('QLinearConcat', table)]


def qlinear_operators():
    """(name, network, input) of every case."""
    for seed in range(COUNT):
        for op, maker in MAKERS:
            n, o, y = maker(op, seed)
            n.output = n.add('DequantizeLinear', [y, n.constant(np.float32(1)), n.constant(o.type(0))], ())
            yield f'{op} {seed}', n, o.rng.standard_normal(n.input.shape).astype(np.float32)
