"""Pieces of random float networks. A block takes a network and a value and adds nodes; it returns the new value, or
None where it does not apply (rank, operator set, sizes). `fixed` blocks need a batch of known size."""
import numpy as np

from network import broadcast, elements, window_sizes

BLOCKS = []


def block(since=7, until=99, ranks=(2, 3, 4), fixed=False):
    def register(function):
        BLOCKS.append((function, since, until, ranks, fixed))
        return function
    return register


def window_attributes(n, sizes, strides=True, dilations=True, pads=True):
    """Kernel, strides, pads or auto_pad, dilations that fit `sizes`, and the resulting sizes; or None."""
    rank = len(sizes)
    kernel = [n.between(1, min(3, s)) for s in sizes]
    stride = [n.pick(1, 1, 2, 3) if strides else 1 for _ in sizes]
    dilation = [n.pick(1, 2) if dilations and n.chance(0.3) else 1 for _ in sizes]
    effective = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    mode = n.pick('NOTSET', 'NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID') if pads else 'NOTSET'
    attributes = {'kernel_shape': kernel}
    if n.chance(0.7) or any(s != 1 for s in stride):
        attributes['strides'] = stride
    if any(d != 1 for d in dilation):
        attributes['dilations'] = dilation
    if mode in ('SAME_UPPER', 'SAME_LOWER'):
        if any(d != 1 for d in dilation) or any(k < t for k, t in zip(kernel, stride)):
            return None  # ONNX Runtime refuses the negative pads
        attributes['auto_pad'] = mode
        return attributes, [-(-s // t) for s, t in zip(sizes, stride)], kernel
    if mode == 'VALID':
        attributes['auto_pad'] = mode
    given = [0] * (2 * rank)
    if mode == 'NOTSET' and pads and n.chance(0.7):
        given = [n.between(0, k - 1) for k in kernel + kernel]
        attributes['pads'] = given
    out = [window_sizes(s, k, t, given[i] + given[rank + i], d)
           for i, (s, k, t, d) in enumerate(zip(sizes, kernel, stride, dilation))]
    fits = all(s + given[i] + given[rank + i] >= e for i, (s, e) in enumerate(zip(sizes, effective)))
    return (attributes, out, kernel) if fits else None


@block(ranks=(3, 4))
@block(ranks=(3, 4))
@block(ranks=(3, 4))
def conv(n, x):
    window = window_attributes(n, x.shape[2:])
    if window is None:
        return None
    attributes, out, kernel = window
    channels = x.shape[1]
    group = n.pick(1, 1, channels, n.pick(*[g for g in range(1, channels + 1) if channels % g == 0]))
    m = group * n.between(1, 3 if group > 1 else 7)
    w = n.normal([m, channels // group, *kernel], (elements(kernel) * channels / group) ** -0.5)
    bias = n.normal([m], 0.3) if n.chance(0.6) else None
    if group != 1 or n.chance(0.3):
        attributes['group'] = group
    return n.add('Conv', [x, w, bias], [x.shape[0], m, *out], **attributes)


@block(ranks=(3, 4))
def conv_transpose(n, x):
    rank, channels = len(x.shape) - 2, x.shape[1]
    kernel = [n.between(1, 3) for _ in range(rank)]
    stride = [n.pick(1, 2, 3) for _ in range(rank)]
    dilation = [n.pick(1, 1, 2) for _ in range(rank)]
    group = n.pick(1, 1, channels)
    m = n.between(1, 4)
    extent = [(s - 1) * t + d * (k - 1) + 1 for s, t, d, k in zip(x.shape[2:], stride, dilation, kernel)]
    attributes = {'kernel_shape': kernel, 'strides': stride, 'dilations': dilation, 'group': group}
    how = n.pick('pads', 'pads', 'output_shape' if n.opset >= 11 else 'pads', 'plain')
    extra = [n.between(0, t - 1) if n.chance(0.4) else 0 for t in stride]
    out = extent
    if how == 'pads':
        pads = [n.between(0, (e - 1) // 2) if e < 5 else n.between(0, 1) for e in extent * 2]
        attributes.update(pads=pads, output_padding=extra)
        out = [e - pads[i] - pads[rank + i] + extra[i] for i, e in enumerate(extent)]
    elif how == 'output_shape':
        out = [n.between(max(1, e - 2), e) for e in extent]
        attributes['output_shape'] = out
        if n.chance(0.5):
            attributes['auto_pad'] = n.pick('SAME_UPPER', 'SAME_LOWER')
    if min(out) < 1 or elements(out) * m * group > 6000:
        return None
    w = n.normal([channels, m, *kernel], (channels / group * elements(kernel)) ** -0.5)
    return n.add('ConvTranspose', [x, w, n.normal([m * group], 0.3) if n.chance(0.5) else None],
                 [x.shape[0], m * group, *out], **attributes)


@block(ranks=(2,))
@block(ranks=(2,))
def gemm(n, x):
    k, m = x.shape[1], n.between(1, 17)
    trans_b = n.between(0, 1)
    w = n.normal([m, k] if trans_b else [k, m], k ** -0.5)
    # Operator sets before 11 want a bias.
    shape = n.pick([m], [1], [x.shape[0], m], [1, m], [x.shape[0], 1], [])
    if n.open_batch:
        shape = [m]
    bias = n.normal(shape) if n.opset < 11 or n.chance(0.7) else None
    if n.chance(0.2) and not n.open_batch:  # x itself transposed before
        x = n.add('Transpose', [x], [k, x.shape[0]], perm=[1, 0])
        return n.add('Gemm', [x, w, bias], [x.shape[1], m], transA=1, transB=trans_b,
                     alpha=n.pick(None, 0.5), beta=n.pick(None, 2.0))
    return n.add('Gemm', [x, w, bias], [x.shape[0], m], transB=trans_b, alpha=n.pick(None, None, 0.5),
                 beta=n.pick(None, None, 0.25))


@block()
def matmul(n, x):
    k, m = x.shape[-1], n.between(1, 7)
    how = n.pick('matrix', 'vector', 'left', 'batch', 'pair')
    if how == 'matrix':
        return n.add('MatMul', [x, n.normal([k, m], k ** -0.5)], [*x.shape[:-1], m])
    if how == 'vector' and len(x.shape) > 2:
        return n.add('MatMul', [x, n.normal([k], k ** -0.5)], x.shape[:-1])
    if how == 'left' and len(x.shape) > 2:
        return n.add('MatMul', [n.normal([m, x.shape[-2]], x.shape[-2] ** -0.5), x], [*x.shape[:-2], m, k])
    if how == 'batch' and len(x.shape) == 4:
        return n.add('MatMul', [x, n.normal([x.shape[1], k, m], k ** -0.5)], [*x.shape[:-1], m])
    if how == 'pair' and len(x.shape) > 2:
        perm = [*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2]
        t = n.add('Transpose', [x], [x.shape[p] for p in perm], perm=perm)
        product = n.add('MatMul', [x, t], [*x.shape[:-1], x.shape[-2]])
        return n.add('Mul', [product, n.constant(np.float32(0.3 / k ** 0.5))], product.shape)
    return None


@block()
@block()
def activation(n, x):
    return n.same(n.pick('Relu', 'Sigmoid', 'Tanh', 'Abs', 'Neg', 'Identity'), x)


@block()
def activation_with_number(n, x):
    op = n.pick('LeakyRelu', 'Elu', 'Selu', 'HardSigmoid')
    if op == 'Selu':
        return n.same(op, x, alpha=n.pick(None, 1.2), gamma=n.pick(None, 0.9))
    if op == 'HardSigmoid':
        return n.same(op, x, alpha=n.pick(None, 0.3), beta=n.pick(None, 0.4))
    return n.same(op, x, alpha=n.pick(None, 0.3, 1.5))


@block()
def positive_functions(n, x):
    """Exp, Log, Sqrt, Reciprocal, Pow of values they are tame at."""
    tame = n.same('Tanh', x)
    op = n.pick('Exp', 'Log', 'Sqrt', 'Reciprocal', 'Pow')
    if op == 'Exp':
        return n.same(op, tame)
    shifted = n.add('Add', [tame, n.constant(np.float32(1.5))], x.shape)
    if op == 'Pow':
        return n.add('Pow', [shifted, n.constant(np.float32(n.pick(2, 3, 0.5, -1.5)))], x.shape)
    return n.same(op, shifted)


@block(since=9)
def erf(n, x):
    return n.same('Erf', x)


@block(since=11)
def round_(n, x):
    scaled = n.add('Mul', [x, n.constant(np.float32(3.7))], x.shape)
    return n.same('Round', scaled)


@block(since=14)
def hard_swish(n, x):
    return n.same('HardSwish', x)


@block(since=20)
def gelu(n, x):
    return n.same('Gelu', x, approximate=n.pick(None, 'none', 'tanh'))


def broadcastable(n, shape):
    """A shape that broadcasts with `shape` without enlarging it."""
    shape = [d if n.chance(0.5) else 1 for d in shape]
    if n.open_batch:
        shape[0] = 1
    return shape[n.between(0, len(shape)):] if n.chance(0.4) else shape


@block()
@block()
def binary_with_constant(n, x):
    op = n.pick('Add', 'Sub', 'Mul', 'Div')
    shape = broadcastable(n, x.shape)
    c = n.normal(shape) if op in ('Add', 'Sub') else n.constant(
        (n.r.uniform(0.5, 1.5, shape) * n.r.choice([-1, 1], shape)).astype(np.float32))
    return n.add(op, [x, c] if op == 'Div' or n.chance(0.7) else [c, x], broadcast(x.shape, c.shape))


@block()
def clip(n, x):
    lo, hi = n.pick(-1.0, 0.0, -0.5), n.pick(1.0, 0.7, 6.0)
    if n.opset < 11:
        return n.same('Clip', x, min=n.pick(None, lo), max=n.pick(None, hi))
    bounds = [n.pick(None, n.constant(np.float32(v))) for v in (lo, hi)]
    return n.add('Clip', [x, *bounds], x.shape)


@block(ranks=(3, 4))
def prelu(n, x):
    shape = n.pick([x.shape[1], *[1] * (len(x.shape) - 2)], [1], list(x.shape[1:]))
    return n.add('PRelu', [x, n.normal(shape, 0.3)], x.shape)


@block(ranks=(3, 4))
def batch_normalization(n, x):
    c = x.shape[1]
    statistics = [n.normal([c], 0.3, 1), n.normal([c], 0.3), n.normal([c], 0.3)]
    variance = n.constant(n.r.uniform(0.2, 2, c).astype(np.float32))
    return n.add('BatchNormalization', [x, *statistics, variance], x.shape, epsilon=n.pick(None, 1e-3))


@block(ranks=(3, 4))
def instance_normalization(n, x):
    if elements(x.shape[2:]) < 4:
        return None
    return n.add('InstanceNormalization', [x, n.normal([x.shape[1]]), n.normal([x.shape[1]])], x.shape, epsilon=1e-2)


@block(since=17)
def layer_normalization(n, x):
    axis = n.between(1, len(x.shape) - 1)
    if elements(x.shape[axis:]) < 3:
        return None
    shape = x.shape[axis:]
    return n.add('LayerNormalization', [x, n.normal(shape), n.pick(None, n.normal(shape))], x.shape,
                 axis=n.pick(axis, axis - len(x.shape)), epsilon=1e-2)


@block(ranks=(4,))
def lrn(n, x):
    return n.same('LRN', x, size=n.pick(1, 3, 5), alpha=n.pick(None, 0.1), beta=n.pick(None, 0.6),
                  bias=n.pick(None, 1.5))


@block(ranks=(3, 4))
@block(ranks=(3, 4))
def pool(n, x):
    op = n.pick('MaxPool', 'AveragePool')
    window = window_attributes(n, x.shape[2:], dilations=n.opset >= (10 if op == 'MaxPool' else 19))
    if window is None:
        return None
    attributes, out, kernel = window
    if op == 'AveragePool':
        attributes['count_include_pad'] = n.pick(None, 1)
    strides = attributes.setdefault('strides', [1] * len(kernel))
    if n.opset >= 10 and 'auto_pad' not in attributes and n.chance(0.4):
        rank = len(kernel)
        pads, dilations = attributes.get('pads', [0] * 2 * rank), attributes.get('dilations', [1] * rank)
        out = [window_sizes(x.shape[2 + i], kernel[i], strides[i], pads[i] + pads[rank + i], dilations[i], ceil=True)
               for i in range(rank)]
        if any((o - 1) * strides[i] >= x.shape[2 + i] + pads[i] for i, o in enumerate(out)):
            return None  # ONNX Runtime drops a last window in the padding behind, but infers the shape with it
        attributes['ceil_mode'] = 1
    return n.add(op, [x], [*x.shape[:2], *out], **attributes)


@block(ranks=(3, 4))
def global_pool(n, x):
    if n.chance(0.6):
        return None
    return n.add(n.pick('GlobalAveragePool', 'GlobalMaxPool'), [x], [*x.shape[:2], *[1] * (len(x.shape) - 2)])


@block()
def scoring(n, x):
    axis = n.between(0 if not n.open_batch else 1, len(x.shape) - 1)
    if n.chance(0.3) and (n.opset >= 11):
        axis -= len(x.shape)
    return n.same(n.pick('Softmax', 'LogSoftmax', 'Softmax', 'Hardmax'), x, axis=n.pick(None, axis, axis))
