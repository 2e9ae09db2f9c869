"""Pieces of random float networks, continued: reductions, moves, shapes computed at run time, comparisons."""
import math

import numpy as np
from onnx import TensorProto, numpy_helper

from float_blocks import block
from network import BOOL, INT64, broadcast, elements


def axes_as(n, values, as_input_since):
    """The axes as a constant input (then attributes are empty) or as an attribute, by operator set."""
    if n.opset >= as_input_since:
        return [n.integers(values)], {}
    return [], {'axes': list(values)}


def some_axes(n, x, least=1):
    first = 1 if n.open_batch else 0
    axes = [a for a in range(first, len(x.shape)) if n.chance(0.5)]
    return axes if len(axes) >= least else [len(x.shape) - 1]


@block()
def reduction(n, x):
    op = n.pick('ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin')
    axes = some_axes(n, x)
    keep = n.between(0, 1)
    if n.chance(0.6) or len(x.shape) - len(axes) < 2:
        keep = 1
    inputs, attributes = axes_as(n, [a - len(x.shape) if n.opset >= 11 and n.chance(0.3) else a for a in axes],
                                 13 if op == 'ReduceSum' else 18)
    shape = [1 if a in axes else d for a, d in enumerate(x.shape) if keep or a not in axes]
    y = n.add(op, [x, *inputs], shape, keepdims=keep, **attributes)
    if op == 'ReduceSum':
        y = n.add('Mul', [y, n.constant(np.float32(1 / elements(x.shape) ** 0.5))], shape)
    return n.add('Sub', [x, y], x.shape) if keep and n.chance(0.5) else y


@block(fixed=True)
def arg_max(n, x):
    axis, keep = n.between(0, len(x.shape) - 1), n.between(0, 1)
    shape = [1 if a == axis else d for a, d in enumerate(x.shape) if keep or a != axis]
    if len(shape) < 2:
        return None
    last = n.pick(None, 1) if n.opset >= 12 else None
    y = n.add('ArgMax', [x], shape, dtype=INT64, axis=axis, keepdims=keep, select_last_index=last)
    y = n.add('Cast', [y], shape, to=TensorProto.FLOAT)
    return n.add('Mul', [x, y], x.shape) if keep else y


@block()
def slice_(n, x):
    axes = some_axes(n, x)
    starts, ends, steps, shape = [], [], [], list(x.shape)
    for a in axes:
        d = x.shape[a]
        step = n.pick(1, 1, 2, 3, -1, -2) if n.opset >= 10 else 1
        if step > 0:
            start = n.between(0, d - 1)
            end = n.between(start + 1, d + 2)
            shape[a] = len(range(*slice(start, end, step).indices(d)))
            end = n.pick(end, 2 ** 31 - 1) if end >= d else end - d if end < d and n.chance(0.3) else end
        else:
            start = n.between(0, d + 1)
            end = n.between(-1, min(start, d - 1) - 1)
            shape[a] = len(range(d)[start:(None if end < 0 else end):step])
            end = -d - n.between(1, 3) if end < 0 else end
        starts.append(start), ends.append(end), steps.append(step)
    if min(shape) < 1:
        return None
    if n.opset < 10:
        return n.add('Slice', [x], shape, starts=starts, ends=ends, axes=axes)
    inputs = [n.integers(v) for v in (starts, ends, axes)]
    return n.add('Slice', [x, *inputs, None if all(s == 1 for s in steps) else n.integers(steps)], shape)


@block()
def split(n, x):
    axis = n.between(1, len(x.shape) - 1)
    d = x.shape[axis]
    if d < 2:
        return None
    first = n.between(1, d - 1)
    sizes, attributes, inputs = [first, d - first], {}, []
    if d % 2 == 0 and n.chance(0.4):
        sizes = [d // 2, d // 2]
        attributes = {'num_outputs': 2} if n.opset >= 18 else {}
    elif n.opset >= 13:
        inputs = [n.integers(sizes)]
    else:
        attributes = {'split': sizes}
    shapes = [[s if a == axis else v for a, v in enumerate(x.shape)] for s in sizes]
    a, b = n.add_many('Split', [x, *inputs], shapes, axis=axis, **attributes)
    how = n.pick('swap', 'first', 'add')
    if how == 'add' and sizes[0] == sizes[1]:
        return n.add('Add', [a, b], a.shape)
    return n.add('Concat', [b, a], x.shape, axis=axis) if how == 'swap' else a


@block()
def concat(n, x):
    axis = n.between(1, len(x.shape) - 1)
    if elements(x.shape) > 3000:
        return None
    other = n.same(n.pick('Relu', 'Neg', 'Tanh'), x)
    parts = n.pick([x, other], [other, x, x])
    shape = list(x.shape)
    shape[axis] *= len(parts)
    return n.add('Concat', parts, shape, axis=axis - len(shape) if n.opset >= 11 and n.chance(0.3) else axis)


@block()
def gather(n, x):
    axis = n.between(1, len(x.shape) - 1)
    low = -x.shape[axis] if n.opset >= 11 else 0
    shape = n.pick([n.between(1, 4)], [2, 2] if len(x.shape) < 4 else [3], [] if len(x.shape) > 2 else [1])
    places = n.constant(n.r.integers(low, x.shape[axis], shape).astype(n.pick(np.int64, np.int32)))
    return n.add('Gather', [x, places], [*x.shape[:axis], *shape, *x.shape[axis + 1:]], axis=axis)


@block()
def pad(n, x):
    mode = n.pick('constant', 'constant', 'reflect', 'edge', *(['wrap'] if n.opset >= 19 else []))
    rank = len(x.shape)
    lead = 2 if rank > 2 else 1
    most = [0] * lead + [min(2, d - 1) if mode != 'constant' else 2 for d in x.shape[lead:]]
    pads = [n.between(0, m) for m in most * 2]
    if mode == 'constant' and n.chance(0.2):
        pads[-1] = -min(1, x.shape[-1] - 1)
    shape = [d + pads[a] + pads[rank + a] for a, d in enumerate(x.shape)]
    value = n.pick(None, 0.5) if mode == 'constant' else None
    if n.opset < 11:
        return n.add('Pad', [x], shape, mode=mode, pads=pads, value=value)
    inputs = [n.integers(pads), None if value is None else n.constant(np.float32(value))]
    if n.opset >= 18 and n.chance(0.4):
        inputs = [n.integers(pads[lead:rank] + pads[rank + lead:]), inputs[1], n.integers(range(lead, rank))]
    return n.add('Pad', [x, *inputs], shape, mode=n.pick(mode, None) if mode == 'constant' else mode)


@block(since=8, fixed=True)
def expand(n, x):
    y = n.add('Expand', [n.normal([1] * len(x.shape)), n.integers(x.shape)], x.shape) if n.chance(0.4) else None
    if y:
        return n.add('Add', [x, y], x.shape)
    axis = next((a for a, d in enumerate(x.shape) if d == 1 and a > 0), None)
    if axis is None:
        return None
    shape = [3 if a == axis else d for a, d in enumerate(x.shape)]
    return n.add('Expand', [x, n.integers([3 if a == axis else 1 for a in range(len(shape))])], shape)


@block(since=7, until=9, ranks=(4,))
def upsample(n, x):
    scales = [1.0, 1.0, n.pick(1.0, 2.0, 1.5), n.pick(2.0, 3.0)]
    shape = [int(math.floor(d * s)) for d, s in zip(x.shape, scales)]
    mode = n.pick('nearest', 'linear')
    if n.opset >= 9:
        return n.add('Upsample', [x, n.constant(np.float32(scales))], shape, mode=mode)
    return n.add('Upsample', [x], shape, mode=mode, scales=scales)


@block(since=10, ranks=(3, 4))
@block(since=11, ranks=(3, 4))
def resize(n, x):
    rank = len(x.shape)
    scales = [1.0, 1.0] + [n.pick(0.5, 1.0, 1.5, 2.0, 0.7, 2.3) for _ in x.shape[2:]]
    shape = [int(math.floor(d * np.float32(s))) for d, s in zip(x.shape, scales)]
    if min(shape) < 1 or elements(shape) > 6000:
        return None
    mode = n.pick('nearest', 'linear')
    if n.opset < 11:
        return n.add('Resize', [x, n.constant(np.float32(scales))], shape, mode=mode)
    attributes = {'mode': mode}
    attributes['coordinate_transformation_mode'] = n.pick(
        'half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners',
        *(['half_pixel_symmetric'] if n.opset >= 19 else []))
    if mode == 'nearest':
        attributes['nearest_mode'] = n.pick('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil')
    roi = n.constant(np.zeros(0, np.float32)) if n.opset < 13 or n.chance(0.3) else None
    if n.chance(0.5) and not n.open_batch:
        scale_input = n.constant(np.zeros(0, np.float32)) if n.opset < 13 else None
        if n.opset >= 18 and n.chance(0.5):
            return n.add('Resize', [x, roi, scale_input, n.integers(shape[2:])], shape, axes=list(range(2, rank)),
                         **attributes)
        return n.add('Resize', [x, roi, scale_input, n.integers(shape)], shape, **attributes)
    return n.add('Resize', [x, roi, n.constant(np.float32(scales))], shape, **attributes)


@block()
def transpose(n, x):
    perm = [0, *(1 + n.r.permutation(len(x.shape) - 1))]
    if n.chance(0.2) and not n.open_batch:
        return n.add('Transpose', [x], x.shape[::-1])
    return n.add('Transpose', [x], [x.shape[p] for p in perm], perm=[int(p) for p in perm])


@block()
def squeeze_unsqueeze(n, x):
    axis = n.between(1, len(x.shape) - 1)
    inputs, attributes = axes_as(n, [axis], 13)
    wide = [*x.shape[:axis], 1, *x.shape[axis:]]
    if len(wide) > 4:
        ones = [a for a, d in enumerate(x.shape) if d == 1 and a > 0]
        if not ones:
            return None
        inputs, attributes = axes_as(n, ones, 13)
        return n.add('Squeeze', [x, *inputs], [d for a, d in enumerate(x.shape) if a not in ones], **attributes)
    y = n.add('Unsqueeze', [x, *inputs], wide, **attributes)
    if n.chance(0.3):
        inputs, attributes = axes_as(n, [axis], 13)
        return n.add('Squeeze', [n.same('Relu', y), *inputs], x.shape, **attributes)
    return y


@block(ranks=(3, 4))
def flatten(n, x):
    axis = n.pick(1, 1, None) if n.open_batch else n.pick(1, None, 2, *([-1] if n.opset >= 11 else []))
    at = 1 if axis is None else axis % len(x.shape)
    return n.add('Flatten', [x], [elements(x.shape[:at]), elements(x.shape[at:])], axis=axis)


@block()
def reshape(n, x):
    total = elements(x.shape[1:])
    d = n.pick(*[v for v in (1, 2, 3, 5, 7) if total % v == 0])
    given = n.pick([0, d, -1], [0, -1, d], [0, d, total // d]) if n.chance(0.7) else [0, -1]
    shape = [x.shape[0], *([d, total // d] if given[1] == d else [total // d, d])] if len(given) == 3 else \
        [x.shape[0], total]
    return n.add('Reshape', [x, n.integers(given)], shape)


@block(ranks=(3, 4))
def exported_reshape(n, x):
    """Shape → Gather → Unsqueeze → Concat → Reshape, as PyTorch writes x.view(x.size(0), -1)."""
    shape = n.add('Shape', [x], [len(x.shape)], dtype=INT64)
    first = n.add('Gather', [shape, n.constant(np.int64(0))], [], dtype=INT64, axis=0)
    inputs, attributes = axes_as(n, [0], 13)
    first = n.add('Unsqueeze', [first, *inputs], [1], dtype=INT64, **attributes)
    keep = n.chance(0.5)
    rest = [x.shape[1], -1] if keep else [-1]
    target = n.add('Concat', [first, n.integers(rest)], [1 + len(rest)], dtype=INT64, axis=0)
    return n.add('Reshape', [x, target], [x.shape[0], *([x.shape[1], elements(x.shape[2:])] if keep else
                                                        [elements(x.shape[1:])])])


@block(since=9)
def where(n, x):
    op = n.pick('Less', 'Greater', *(['LessOrEqual', 'GreaterOrEqual'] if n.opset >= 12 else []))
    threshold = n.constant(np.float32(n.pick(0.0, 0.3)))
    mask = n.add(op, [x, threshold], x.shape, dtype=BOOL)
    return n.add('Where', [mask, x, n.pick(threshold, n.same('Neg', x))], x.shape)


@block(since=11)
def equal(n, x):
    positive = n.same('Relu', x)
    mask = n.add('Equal', [positive, n.constant(np.float32(0))], x.shape, dtype=BOOL)
    if n.opset >= 15 and n.chance(0.5):
        return n.add('Add', [n.add('CastLike', [mask, x], x.shape), positive], x.shape)
    return n.add('Add', [n.add('Cast', [mask], x.shape, to=TensorProto.FLOAT), positive], x.shape)


@block()
def cast(n, x):
    to = n.pick(TensorProto.INT32, TensorProto.INT64, TensorProto.DOUBLE, TensorProto.FLOAT16)
    scaled = n.add('Mul', [x, n.constant(np.float32(10))], x.shape)
    if to == TensorProto.FLOAT16:  # in exact steps: half of a value rounded otherwise would be far off
        to = TensorProto.INT32
    return n.add('Cast', [n.add('Cast', [scaled], x.shape, dtype=to, to=to)], x.shape, to=TensorProto.FLOAT)


@block(since=9, fixed=True)
def constant_of_shape(n, x):
    tensor = n.pick(None, numpy_helper.from_array(np.array([0.25], np.float32)))
    if n.chance(0.5):
        shape = n.add('Shape', [x], [len(x.shape)], dtype=INT64)
    else:
        shape = n.integers(x.shape)
    return n.add('Add', [x, n.add('ConstantOfShape', [shape], x.shape, value=tensor)], x.shape)


@block(since=11)
def range_(n, x):
    d = x.shape[-1]
    steps = n.add('Range', [n.constant(np.int64(v)) for v in (0, d, 1)], [d], dtype=INT64)
    return n.add('Mul', [x, n.add('Cast', [steps], [d], to=TensorProto.FLOAT)], x.shape)


@block()
def size(n, x):
    if n.open_batch:
        return None
    count = n.add('Cast', [n.add('Size', [x], [], dtype=INT64)], [], to=TensorProto.FLOAT)
    return n.add('Div', [x, n.same('Sqrt', count)], x.shape)


@block()
def dropout(n, x):
    if n.opset >= 12:
        return n.add('Dropout', [x, n.pick(None, n.constant(np.float32(0.3)))], x.shape)
    return n.same('Dropout', x, ratio=0.4)


@block(since=8)
def variadic(n, x):
    operands = [x, *[n.pick(n.same('Tanh', x), n.normal([1] * len(x.shape)), n.normal([x.shape[-1]]))
                     for _ in range(n.between(1, 3))]]
    return n.add(n.pick('Max', 'Min', 'Sum', 'Mean'), operands, broadcast(x.shape, x.shape))


