"""Networks of one operator each, with the attributes and sizes where implementations differ."""
import numpy as np
from onnx import TensorProto, numpy_helper

from network import BOOL, FLOAT, INT64, Network
from saturation import held

CASES = []  # (name, operator set, function of a network and its input that returns the result)


def case(name, opset=17, shape=(2, 3, 5, 7)):
    def register(function):
        CASES.append((name, opset, shape, function))
        return function
    return register


def each(op, opsets=(17,), shape=(2, 3, 5, 7), **attributes):
    """The operator on the input alone, its attributes as lists of choices tried together."""
    for opset in opsets:
        for i in range(max([1, *map(len, attributes.values())])):
            chosen = {k: v[i % len(v)] for k, v in attributes.items()}
            CASES.append((f'{op} {chosen or ""}', opset, shape,
                          lambda n, x, op=op, chosen=chosen: n.add(
                              op, [x], (), INT64 if op == 'ArgMax' else FLOAT, **chosen)))


def unary_cases():
    for op in ('Abs', 'Neg', 'Relu', 'Sigmoid', 'Tanh', 'Exp', 'Identity'):
        each(op, (7, 13, 22))
    each('Erf', (9, 13))
    each('Round', (11, 22))
    each('HardSwish', (14, 22))
    each('Gelu', (20,), approximate=['none', 'tanh'])
    each('LeakyRelu', (7, 16), alpha=[0.01, 0.3, -0.5, 2.0])
    each('Elu', (7, 22), alpha=[1.0, 0.3])
    each('Selu', (7, 22), alpha=[1.67326319217681884765625, 1.1], gamma=[1.0507010221481323, 0.7])
    each('HardSigmoid', (7, 22), alpha=[0.2, 1 / 6], beta=[0.5, 0.4])
    each('LRN', (7, 13), (2, 7, 3, 5), size=[1, 3, 5, 9], alpha=[0.5, 0.01], beta=[0.75, 1.0], bias=[1.0, 2.0])
    each('GlobalAveragePool', (7, 22)), each('GlobalMaxPool', (7, 22)), each('GlobalMaxPool', (7,), (1, 2, 1))
    each('Flatten', (7, 13), axis=[0, 1, 3, 4]), each('Flatten', (13,), axis=[-1, -4])
    each('Transpose', (7, 21), perm=[[3, 1, 0, 2], [0, 2, 3, 1]]), each('Transpose')
    each('Dropout', (7, 10, 13))
    for op in ('Softmax', 'LogSoftmax', 'Hardmax'):
        each(op, (7, 11), axis=[0, 1, 2, 3]), each(op, (13,), axis=[0, 1, -1, -3]), each(op, (11, 13), (3, 1))
    each('ArgMax', (7,), axis=[0, 1, 3]), each('ArgMax', (13,), axis=[-1, 2], keepdims=[0, 1], select_last_index=[1, 0])
    for op in ('ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceSum'):
        each(op, (7, 11), axes=[[1], [0, 3], [2, 3]], keepdims=[0, 1, 1]), each(op, (11,), axes=[[-1]], keepdims=[0])
        each(op, (12, 22), keepdims=[0, 1])
    for name in ('AveragePool', 'MaxPool'):
        each(name, (11, 19, 22), kernel_shape=[[3, 3]], strides=[[2, 2], [3, 1]], ceil_mode=[1],
             pads=[[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, 0], [2, 0, 1, 2]])
        each(name, (7, 10), kernel_shape=[[2, 3]], auto_pad=['SAME_UPPER', 'SAME_LOWER', 'VALID'], strides=[[2, 2]])
        each(name, (7,), (2, 3, 7), kernel_shape=[[3]], pads=[[0, 2], [1, 0]], strides=[[2]])
        each(name, (19,), (1, 2, 9, 8), kernel_shape=[[2, 3]], dilations=[[2, 1], [3, 2]], pads=[[1, 0, 0, 1]])
    each('AveragePool', (7, 11, 19), kernel_shape=[[3, 2]], pads=[[1, 1, 2, 0]], strides=[[2, 1]],
         count_include_pad=[0, 1])
    each('AveragePool', (19, 22), kernel_shape=[[3, 3]], pads=[[1, 1, 1, 1]], strides=[[2, 2]], ceil_mode=[1],
         count_include_pad=[1])


def binary_cases():
    """Less, Greater and their like as masks of Where; arithmetic with every kind of broadcast."""
    shapes = [(7,), (1,), (), (5, 1), (3, 1, 1), (2, 3, 5, 7), (2, 1, 1, 7), (1, 1, 5, 1)]
    for op in ('Add', 'Sub', 'Mul', 'Div', 'Pow'):
        for i, shape in enumerate(shapes):
            def two(n, x, op=op, shape=shape):
                if op == 'Pow':
                    return n.add(op, [n.same('Abs', x), n.normal(shape)], x.shape)
                if op == 'Div':
                    return n.add(op, [x, n.constant(n.r.uniform(0.5, 2, shape).astype(np.float32))], x.shape)
                return n.add(op, [n.normal(shape), x], x.shape)
            CASES.append((f'{op} {shape}', (7, 13, 14)[i % 3], (2, 3, 5, 7), two))
    for op, opset in (('Less', 9), ('Greater', 9), ('LessOrEqual', 16), ('GreaterOrEqual', 12), ('Equal', 11),
                      ('Equal', 19)):
        def masked(n, x, op=op):
            whole = n.same('Round', x) if n.opset >= 11 else x
            return n.add('Where', [n.add(op, [whole, n.constant(np.float32([0, 1, -1, 0, 2, 1, 0]))], x.shape, BOOL), x,
                                   n.constant(np.float32(-5))], x.shape)
        CASES.append((f'Where {op}', opset, (2, 3, 5, 7), masked))
    for op in ('Max', 'Min', 'Sum', 'Mean'):
        for count in (1, 2, 4):
            CASES.append((f'{op} of {count}', 8 if count == 2 else 13, (2, 3, 5, 7),
                          lambda n, x, op=op, count=count: n.add(
                op, [x, *[n.normal([(3, 1, 1), (7,), (2, 1, 5, 1)][i]) for i in range(count - 1)]], x.shape)))


@case('Log', shape=(7,))
def log(n, x):
    return n.same('Log', n.same('Abs', x))


@case('Sqrt and Reciprocal', 7)
def sqrt(n, x):
    return n.same('Reciprocal', n.same('Sqrt', n.same('Abs', x)))


@case('Clip without bounds', 12)
@case('Clip without bounds', 7)
def clip_nothing(n, x):
    return n.same('Clip', x)


@case('Clip of crossed bounds', 13)
def clip_crossed(n, x):
    return n.add('Clip', [x, n.constant(np.float32(1)), n.constant(np.float32(-1))], x.shape)


@case('Cast to int8 and back')
def cast_small(n, x):
    return n.add('Cast', [n.add('Cast', [x], x.shape, TensorProto.INT8, to=TensorProto.INT8)], x.shape, to=FLOAT)


@case('Cast to bool')
def cast_bool(n, x):
    return n.add('Cast', [n.same('Relu', x)], x.shape, BOOL, to=TensorProto.BOOL)


@case('CastLike', 15)
def cast_like(n, x):
    return n.add('CastLike', [x, n.integers([1])], x.shape, INT64)


@case('Size', 13)
@case('Size', 21)
def size(n, x):
    return n.add('Cast', [n.add('Size', [x], [], INT64)], [], to=FLOAT)


@case('Shape', 13)
def shape_of(n, x):
    return n.add('Shape', [x], [4], INT64)


@case('Shape of the middle', 15)
def shape_of_some(n, x):
    return n.add('Shape', [x], [2], INT64, start=1, end=-1)


@case('ConstantOfShape', 9)
def constant_of_shape(n, x):
    value = numpy_helper.from_array(np.array([7], np.int64))
    made = n.add('ConstantOfShape', [n.integers([3, 1, 1])], [3, 1, 1], INT64, value=value)
    return n.add('Add', [x, n.add('Cast', [made], [3, 1, 1], to=FLOAT)], x.shape)


@case('Range of floats', 11)
def range_of_floats(n, x):
    ends = [n.constant(np.float32(v)) for v in (1.0, -0.75, -0.25)]
    return n.add('Add', [x, n.add('Range', ends, [7])], x.shape)


@case('RMSNormalization', 23)
@case('RMSNormalization', 24)
def rms_normalization(n, x):
    return n.add('RMSNormalization', [x, n.normal([5, 7])], x.shape, axis=2, epsilon=1e-3)


@case('Swish', 24)
def swish(n, x):
    return n.same('Swish', x, alpha=1.3)


@case('Gemm transposed', 13, (5, 3))
def gemm(n, x):
    return n.add('Gemm', [x, n.normal([7, 5]), n.normal([3, 1])], [3, 7], transA=1, transB=1, alpha=0.7, beta=-2.0)


@case('MatMul of vectors', 9, (7,))
def dot(n, x):
    return n.add('MatMul', [x, n.normal([7])], [])


@case('MatMul vector by batch', 13, (5,))
def vector_by_batch(n, x):
    return n.add('MatMul', [x, n.normal([2, 3, 5, 2])], [2, 3, 2])


@case('MatMul broadcast both ways', 13, (2, 1, 5, 7))
def both_ways(n, x):
    return n.add('MatMul', [x, n.normal([3, 7, 1])], [2, 3, 5, 1])


@case('Constants', 13)
def constants(n, x):
    for attribute in ({'value_float': 0.5}, {'value_floats': [1.0, -1.0, 0.5, 2.0, 0.0, 3.0, 1.5]}):
        x = n.add('Mul', [x, n.add('Constant', [], [7], **attribute)], x.shape)
    return n.add('Gather', [x, n.add('Constant', [], [2], INT64, value_ints=[3, 1])], [2, 3, 5, 2], axis=3)


@case('Expand both ways', 13, (3, 1))
def expand(n, x):
    return n.add('Expand', [x, n.integers([2, 1, 4])], [2, 3, 4])


@case('Integer products', 13, (4, 6))
def matmul_integer(n, x):
    q, s, z = n.add_many('DynamicQuantizeLinear', [x], [x.shape, [], []])
    w = n.constant(held(n.r.integers(-128, 128, (6, 5)).astype(np.int8)))
    return n.add('Mul', [n.add('Cast', [n.add('MatMulInteger', [q, w, z], [4, 5])], [4, 5], to=FLOAT), s], [4, 5])


@case('Integer convolution', 13)
def conv_integer(n, x):
    q, s, z = n.add_many('DynamicQuantizeLinear', [x], [x.shape, [], []])
    w = n.constant(n.r.integers(0, 256, (4, 3, 3, 3)).astype(np.uint8))
    y = n.add('ConvInteger', [q, w, z, n.constant(np.uint8(120))], (), pads=[1, 0, 2, 1], strides=[2, 1])
    return n.add('Mul', [n.add('Cast', [y], (), to=FLOAT), s], ())


@case('Blocks', 13, (2, 8, 4, 6))
def blocks(n, x):
    y = n.add('DepthToSpace', [x], (), blocksize=2)
    z = n.add('DepthToSpace', [x], (), blocksize=2, mode='CRD')
    return n.add('SpaceToDepth', [n.add('Add', [y, z], ())], (), blocksize=2)


@case('Quantize', 13)
@case('Quantize', 21)
def quantize(n, x):
    s, z = n.constant(np.float32(0.03)), n.constant(np.uint8(101))
    return n.add('DequantizeLinear', [n.add('QuantizeLinear', [x, s, z], x.shape), s, z], x.shape)


def resize_cases():
    empty = np.zeros(0, np.float32)
    for scale in (0.3, 0.5, 0.6, 0.7, 1.1, 1.5, 2.0, 2.3, 2.7, 3.3):
        for opset, op in ((9, 'Upsample'), (10, 'Resize')):
            for mode in ('nearest', 'linear'):
                if op == 'Resize' or scale >= 1:
                    CASES.append((f'{op} {mode} {scale}', opset, (1, 2, 5, 7),
                                  lambda n, x, op=op, mode=mode, scale=scale: n.add(
                        op, [x, n.constant(np.float32([1, 1, scale, 1.0]))], (), mode=mode)))
        for mode in ('half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners', 'half_pixel_symmetric'):
            for i, nearest in enumerate(('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil', None)):
                attributes = {'coordinate_transformation_mode': mode, 'mode': 'nearest' if nearest else 'linear',
                              'nearest_mode': nearest}
                symmetric = mode == 'half_pixel_symmetric'  # since operator set 19
                opset = 19 if symmetric else (11, 13, 18, 19)[i % 4]
                CASES.append((f'Resize {mode} {nearest or "linear"} {scale}', opset, (1, 2, 10, 7),
                              lambda n, x, a=attributes, s=scale: n.add(
                                  'Resize', [x, n.constant(empty), n.constant(np.float32([1, 1, s, 1]))], (), **a)))
                CASES.append((f'Resize {mode} {nearest or "linear"} to {int(10 * scale)}', 19 if symmetric else 13,
                              (1, 2, 10, 7),
                              lambda n, x, a=attributes, s=scale: n.add(
                                  'Resize', [x, None, None, n.integers([1, 2, int(10 * s), 7])], (), **a)))


unary_cases(), binary_cases(), resize_cases()


def single_operators():
    """(name, network, input) of every case."""
    for i, (name, opset, shape, function) in enumerate(CASES):
        rng = np.random.default_rng([7, i])
        n = Network(rng, opset, shape, prefix='v')
        n.output = function(n, n.input)
        yield f'{name} (operator set {opset})', n, rng.standard_normal(shape).astype(np.float32)
