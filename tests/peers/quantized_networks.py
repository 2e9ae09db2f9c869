"""Random convolutional float networks that quantize to integers, a function of their seed alone."""
import numpy as np

from network import Network, elements, window_sizes

OPSET = 17


def conv(n, x, depthwise=False):
    rank, channels = len(x.shape) - 2, x.shape[1]
    group = channels if depthwise else n.pick(1, 1, 1, *[g for g in (2, 3) if channels % g == 0])
    kernel = [n.between(1, min(3, s)) for s in x.shape[2:]]
    stride = [n.pick(1, 1, 2) for _ in kernel]
    pads = [n.between(0, k - 1) for k in kernel * 2]
    dilation = [n.pick(1, 1, 1, 2) if (k - 1) * 2 + 1 <= s else 1 for k, s in zip(kernel, x.shape[2:])]
    out = [window_sizes(s, k, t, pads[i] + pads[rank + i], d)
           for i, (s, k, t, d) in enumerate(zip(x.shape[2:], kernel, stride, dilation))]
    if min(out) < 1:
        return None
    m = channels if depthwise else group * n.between(2, 6)
    w = n.normal([m, channels // group, *kernel], (channels / group * elements(kernel)) ** -0.5)
    return n.add('Conv', [x, w, n.normal([m], 0.3) if n.chance(0.7) else None], [x.shape[0], m, *out],
                 kernel_shape=kernel, strides=stride, pads=pads, dilations=dilation, group=group)


def depthwise(n, x):
    return conv(n, x, depthwise=True)


def normalized_conv(n, x):
    y = conv(n, x)
    if y is None:
        return None
    c = y.shape[1]
    y = n.add('BatchNormalization', [y, n.normal([c], 0.2, 1), n.normal([c], 0.2), n.normal([c], 0.2),
                                     n.constant(n.r.uniform(0.5, 1.5, c).astype(np.float32))], y.shape)
    return n.same('Relu', y) if n.chance(0.7) else y


def activation(n, x):
    how = n.pick('Relu', 'Clip', 'Sigmoid', 'LeakyRelu', 'HardSwish', 'Tanh', 'PRelu')
    if how == 'Clip':
        return n.add('Clip', [x, n.constant(np.float32(0)), n.constant(np.float32(6))], x.shape)
    if how == 'PRelu':
        slopes = [n.pick(1, x.shape[1]), *[1] * (len(x.shape) - 2)]
        return n.add('PRelu', [x, n.normal(slopes, 0.3)], x.shape)
    return n.same(how, x, alpha=n.pick(0.1, 0.25) if how == 'LeakyRelu' else None)


def same_conv(n, x):
    """A convolution that keeps the shape."""
    w = n.normal([x.shape[1], x.shape[1], *[3] * (len(x.shape) - 2)], (x.shape[1] * 3 ** (len(x.shape) - 2)) ** -0.5)
    return n.add('Conv', [x, w, n.normal([x.shape[1]], 0.3)], x.shape, kernel_shape=[3] * (len(x.shape) - 2),
                 pads=[1] * 2 * (len(x.shape) - 2))


def residual(n, x):
    y = same_conv(n, n.same('Relu', same_conv(n, x)) if n.chance(0.5) else x)
    y = n.add('Add', [y, x] if n.chance(0.5) else [x, y], x.shape)
    return n.same('Relu', y) if n.chance(0.5) else y


def squeeze_excite(n, x):
    if len(x.shape) != 4:
        return None
    c = x.shape[1]
    s = n.add('GlobalAveragePool', [x], [x.shape[0], c, 1, 1])
    s = n.add('Conv', [s, n.normal([c, c, 1, 1], c ** -0.5), n.normal([c], 0.3)], s.shape, kernel_shape=[1, 1])
    s = n.same('Sigmoid', s)
    return n.add('Mul', [x, s] if n.chance(0.6) else [s, x], x.shape)


def product(n, x):
    return n.add('Mul', [same_conv(n, x), n.same('Sigmoid', same_conv(n, x))], x.shape)


def channel_sum(n, x):
    """Add with a branch of one value a channel: broadcast."""
    s = n.add('GlobalAveragePool', [x], [*x.shape[:2], *[1] * (len(x.shape) - 2)])
    return n.add('Add', [x, s] if n.chance(0.5) else [s, x], x.shape)


def choice(n, x):
    """The larger or lesser of two branches."""
    return n.add(n.pick('Max', 'Min'), [same_conv(n, x), n.pick(x, same_conv(n, x))], x.shape)


def with_constant(n, x):
    """A function of one variable: an operator with one constant operand."""
    op = n.pick('Div', 'Max', 'Min', 'Pow', 'Sub')
    constant = n.constant(np.float32(n.pick(0.5, 1.7, 2.0)))
    first = op in ('Max', 'Sub') and n.chance(0.5)
    return n.add(op, [constant, x] if first else [n.same('Sigmoid', x) if op == 'Pow' else x, constant], x.shape)


def depth_to_space(n, x):
    if len(x.shape) != 4 or x.shape[1] % 4 != 0:
        return None
    return n.add('DepthToSpace', [x], [x.shape[0], x.shape[1] // 4, x.shape[2] * 2, x.shape[3] * 2], blocksize=2,
                 mode=n.pick('DCR', 'CRD'))


def concat(n, x):
    parts = [same_conv(n, x), n.pick(x, n.same('Relu', same_conv(n, x)))]
    return n.add('Concat', parts, [x.shape[0], 2 * x.shape[1], *x.shape[2:]], axis=1)


def pool(n, x):
    rank = len(x.shape) - 2
    kernel = [min(n.between(1, 3), s) for s in x.shape[2:]]
    stride = [n.between(1, k) for k in kernel]
    pads = [n.between(0, k - 1) if n.chance(0.5) else 0 for k in kernel * 2]
    out = [window_sizes(s, k, t, pads[i] + pads[rank + i])
           for i, (s, k, t) in enumerate(zip(x.shape[2:], kernel, stride))]
    # With ceil_mode what is left over has a window, when that starts before the padding at the end; where it
    # does not, ONNX Runtime infers another shape than it computes.
    left = [(s + pads[i] + pads[rank + i] - k) % t > 0 for i, (s, k, t) in
            enumerate(zip(x.shape[2:], kernel, stride))]
    starts = [o * t < s + pads[i] for i, (o, s, t) in enumerate(zip(out, x.shape[2:], stride))]
    beyond = n.chance(0.3) and all(s or not l for l, s in zip(left, starts))
    if beyond:
        out = [o + l for o, l in zip(out, left)]
    op = n.pick('MaxPool', 'AveragePool', 'AveragePool')
    return n.add(op, [x], [*x.shape[:2], *out], kernel_shape=kernel, strides=stride, pads=pads,
                 ceil_mode=1 if beyond else None,
                 count_include_pad=n.pick(0, 1) if op == 'AveragePool' else None)


def conv_transpose(n, x):
    kernel, stride = [n.between(2, 3) for _ in x.shape[2:]], [n.between(1, 2) for _ in x.shape[2:]]
    out = [(s - 1) * t + k for s, t, k in zip(x.shape[2:], stride, kernel)]
    m = n.between(2, 4)
    return n.add('ConvTranspose', [x, n.normal([x.shape[1], m, *kernel], 0.3), n.normal([m], 0.2)],
                 [x.shape[0], m, *out], kernel_shape=kernel, strides=stride)


def resize(n, x):
    scales = [1, 1] + [2] * (len(x.shape) - 2)
    return n.add('Resize', [x, None, n.constant(np.float32(scales))], [d * s for d, s in zip(x.shape, scales)],
                 mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor')


def pad(n, x):
    rank = len(x.shape)
    pads = [0, 0] + [n.between(0, 2) for _ in x.shape[2:]] + [0, 0] + [n.between(0, 1) for _ in x.shape[2:]]
    return n.add('Pad', [x, n.integers(pads)], [d + pads[a] + pads[rank + a] for a, d in enumerate(x.shape)])


def slice_(n, x):
    axis = n.between(1, len(x.shape) - 1)
    if x.shape[axis] < 2:
        return None
    first = n.between(0, 1)
    return n.add('Slice', [x, n.integers([first]), n.integers([x.shape[axis]]), n.integers([axis])],
                 [d - first if a == axis else d for a, d in enumerate(x.shape)])


def transpose(n, x):
    perm = [0, 1, 3, 2] if len(x.shape) == 4 else [0, 2, 1]
    return n.add('Transpose', [x], [x.shape[p] for p in perm], perm=perm)


def reshape(n, x):
    shape = [x.shape[1], elements(x.shape[2:])] if len(x.shape) == 4 else [x.shape[1], x.shape[2], 1]
    return n.add('Reshape', [x, n.integers([0, *shape])], [x.shape[0], *shape])


BLOCKS = [conv, normalized_conv, normalized_conv, depthwise, activation, activation, residual, residual,
          squeeze_excite, product, channel_sum, choice, with_constant, depth_to_space, concat, pool, pool,
          conv_transpose, resize, pad, slice_, transpose, reshape]


def head(n, x):
    """Pooling or Flatten, then Gemm or MatMul."""
    if n.chance(0.5):
        x = n.add('GlobalAveragePool', [x], [*x.shape[:2], *[1] * (len(x.shape) - 2)])
    x = n.add('Flatten', [x], [x.shape[0], elements(x.shape[1:])], axis=1)
    k, m = x.shape[1], n.between(2, 11)
    if n.chance(0.5):
        return n.add('Gemm', [x, n.normal([m, k], k ** -0.5), n.normal([m], 0.3)], [x.shape[0], m], transB=1)
    return n.add('MatMul', [x, n.normal([k, m], k ** -0.5)], [x.shape[0], m])


def quantizable_network(seed):
    """The network of a seed, samples [N, C, …] to calibrate it on, and an input for it."""
    rng = np.random.default_rng([1985, seed])
    batch = int(rng.choice([1, 2, 3]))
    flat = seed % 5 == 4  # one spatial dimension
    shape = [batch, int(rng.choice([1, 3, 4])), *([int(rng.choice([7, 17, 32]))] if flat else
                                                  [int(rng.choice([5, 8, 13])), int(rng.choice([5, 8, 11]))])]
    # Samples [N, C, L] would be taken as pictures of one channel, so signals come flat.
    given = [batch, elements(shape[1:])] if flat else shape
    n = Network(rng, OPSET, given, prefix='v')
    x = n.add('Reshape', [n.input, n.integers([0, *shape[1:]])], shape) if flat else n.input
    x = conv(n, x) or x
    for _ in range(n.between(2, 6)):
        y = BLOCKS[n.r.integers(len(BLOCKS))](n, x)
        if y is not None and elements(y.shape[1:]) < 3000:
            x = y
    n.output = head(n, x) if n.chance(0.8) else x
    samples = rng.standard_normal([batch * 8, *given[1:]]).astype(np.float32)
    # Wider than the samples were, so that results saturate.
    return n, samples, (1.3 * rng.standard_normal(given)).astype(np.float32)
