#!/usr/bin/env python3
"""Models as an attacker or a broken disk would make them: one clear line, exit code 3, soon, and in little memory."""
import os
import random
import resource
import subprocess
import unittest

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from program import HALFTONE, ProgramTest

SECONDS = 2
MEMORY = 1 << 30
SANITIZED = bool(os.environ.get('HALFTONE_SANITIZE'))
FLOAT = TensorProto.FLOAT


def model_of(nodes, initializers=(), inputs=(('x', ['N', 4]),), outputs=('y',), opset=13):
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs],
                              [helper.make_tensor_value_info(n, FLOAT, None) for n in outputs], list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])
    model.ir_version = 7
    return model


def weights(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape).astype(dtype), name)


def gemm():
    return model_of([helper.make_node('Gemm', ['x', 'w', 'b'], ['y'], 'fc', transB=1)], [weights('w', 3, 4), weights('b', 3)])


def conv():
    nodes = [helper.make_node('Conv', ['x', 'k'], ['c'], 'conv', kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]),
             helper.make_node('MaxPool', ['c'], ['p'], 'pool', kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node('Reshape', ['p', 's'], ['y'], 'reshape')]
    return model_of(nodes, [weights('k', 2, 1, 3, 3), numpy_helper.from_array(np.array([-1, 8], np.int64), 's')], inputs=(('x', ['N', 1, 4, 4]),))


def constants():
    """Weights in Constant nodes and in typed fields."""
    typed = helper.make_tensor('w', FLOAT, (4, 2), [0.5] * 8)
    nodes = [helper.make_node('Constant', [], ['w'], 'constant', value=typed), helper.make_node('MatMul', ['x', 'w'], ['m'], 'product'),
             helper.make_node('Softmax', ['m'], ['y'], 'softmax', axis=1)]
    return model_of(nodes)


def quantized():
    scale, zero = helper.make_tensor('s', FLOAT, (), [0.25]), helper.make_tensor('z', TensorProto.INT8, (), [3])
    nodes = [helper.make_node('QuantizeLinear', ['x', 's', 'z'], ['q']), helper.make_node('DequantizeLinear', ['q', 's', 'z'], ['d']),
             helper.make_node('DequantizeLinear', ['w', 's', 'w0'], ['wd']), helper.make_node('Gemm', ['d', 'wd'], ['g'], 'fc'),
             helper.make_node('QuantizeLinear', ['g', 's', 'z'], ['gq']), helper.make_node('DequantizeLinear', ['gq', 's', 'z'], ['y'])]
    return model_of(nodes, [scale, zero, weights('w', 4, 2, dtype=np.int8), helper.make_tensor('w0', TensorProto.INT8, (), [0])])


GOOD = {'gemm': gemm, 'conv': conv, 'constants': constants, 'quantized': quantized}


def tensor(dims, raw=b'', **fields):
    """A tensor called w that says what it likes."""
    result = TensorProto(name='w', data_type=fields.pop('data_type', FLOAT), dims=dims)
    if raw:
        result.raw_data = raw
    for key, value in fields.pop('external', {}).items():
        result.data_location = TensorProto.EXTERNAL
        result.external_data.add(key=key, value=value)
    for key, value in fields.items():
        getattr(result, key).extend(value)
    return result


def with_weights(w):
    model = gemm()
    model.graph.initializer[0].CopyFrom(w)
    return model


def with_input(dims):
    model = gemm()
    del model.graph.input[0].type.tensor_type.shape.dim[:]
    for dim in dims:
        model.graph.input[0].type.tensor_type.shape.dim.add().dim_value = dim
    return model


def with_attribute(name, value, node=0, make=conv):
    model = make()
    target = model.graph.node[node]
    kept = [a for a in target.attribute if a.name != name]
    del target.attribute[:]
    target.attribute.extend(kept)
    target.attribute.append(value if isinstance(value, AttributeProto) else helper.make_attribute(name, value))
    return model


BIG = 2**63 - 1
HUGE_DIMS = ([2**32], [2**31, 2**31], [BIG], [BIG, BIG], [2**40, 1], [-1], [4, -3], [-2**63], [2**16] * 4, [3, 0, BIG, BIG], [1] * 5000 + [2**40])


def hostile_tensors():
    for dims in HUGE_DIMS:
        yield f'raw {dims[-4:]}', with_weights(tensor(dims, bytes(48)))
        yield f'typed {dims[-4:]}', with_weights(tensor(dims, float_data=[0.0] * 12))
        yield f'nothing {dims[-4:]}', with_weights(tensor(dims))
    yield 'raw too short', with_weights(tensor([3, 4], bytes(47)))
    yield 'raw too long', with_weights(tensor([3, 4], bytes(49)))
    yield 'raw and typed', with_weights(tensor([3, 5], bytes(48), float_data=[0.0] * 12))
    yield 'typed too long', with_weights(tensor([3, 4], float_data=[0.0] * 13))
    yield 'the wrong typed field', with_weights(tensor([3, 4], int64_data=[1] * 12))
    yield 'integers as weights', with_weights(tensor([3, 4], bytes(12), data_type=TensorProto.INT8))
    for kind in (0, 8, 14, 15, 99, -1):
        yield f'element type {kind}', with_weights(tensor([3, 4], bytes(400), data_type=kind))
    yield 'no numbers', with_weights(tensor([3, 4], np.full(12, np.nan, np.float32).tobytes()))


def hostile_inputs():
    for dims in ([BIG, 4], [2**32, 4], [0, BIG], [4, -1], [4, 0], [1] * 1000 + [-7], [2**16] * 4):
        yield f'input {dims[-4:]}', with_input(dims)
    model = gemm()
    model.graph.input[0].type.Clear()
    yield 'input without a type', model
    model = gemm()
    inner = model.graph.input[0].type.sequence_type
    for _ in range(400):
        inner = inner.elem_type.sequence_type
    inner.SetInParent()
    yield 'sequences in sequences', model
    model = gemm()
    model.graph.input[0].type.tensor_type.elem_type = 77
    yield 'input of no type', model


def hostile_attributes():
    for name in ('kernel_shape', 'pads', 'strides', 'dilations'):
        for value in (3, 1.5, 'text', [0.5, 0.5], [BIG, BIG], [-1, -1, -1, -1], [0, 0], [2**62] * 4, [1] * 1_000_000):
            yield f'{name} {str(value)[:30]}', with_attribute(name, value)
    for value in (0, -1, 3, BIG, -2**63, 'one', [1]):
        yield f'group {value}', with_attribute('group', value)
    for value in ('EVERYWHERE', 1, ['VALID']):
        yield f'auto_pad {value}', with_attribute('auto_pad', value)
    for value in (BIG, -2**63, 2, 1.0, 'first'):
        yield f'axis {value}', with_attribute('axis', value, 2, constants)
    for value in (AttributeProto(name='value', type=AttributeProto.TENSOR), helper.make_attribute('value', 1.0), helper.make_attribute('other', 1)):
        yield f'constant {value.type}', with_attribute('value', value, 0, constants)
    yield 'attribute of no type', with_attribute('group', AttributeProto(name='group'))
    yield 'attribute of a function', with_attribute('group', AttributeProto(name='group', type=AttributeProto.INT, ref_attr_name='g'))


def hostile_graphs():
    def changed(change, make=gemm):
        model = make()
        change(model.graph)
        return model
    node = helper.make_node
    yield 'missing input', model_of([node('Relu', ['nowhere'], ['y'])])
    yield 'missing output', model_of([node('Relu', ['x'], ['z'])])
    yield 'a cycle', model_of([node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])])
    yield 'a loop', model_of([node('Add', ['x', 'y'], ['y'])])
    yield 'nodes in the wrong order', model_of([node('Relu', ['a'], ['y']), node('Relu', ['x'], ['a'])])
    yield 'a value twice', model_of([node('Relu', ['x'], ['y']), node('Tanh', ['x'], ['y'])])
    yield 'an input twice', changed(lambda g: g.input.append(g.input[0]))
    yield 'weights twice', changed(lambda g: g.initializer.append(g.initializer[0]))
    yield 'a node over weights', model_of([node('Relu', ['x'], ['w']), node('Relu', ['w'], ['y'])], [weights('w', 4)])
    yield 'weights without a name', changed(lambda g: g.initializer[0].ClearField('name'))
    yield 'no outputs', changed(lambda g: g.ClearField('output'))
    yield 'no nodes', changed(lambda g: g.ClearField('node'))
    yield 'nothing', changed(lambda g: g.Clear())
    yield 'no operator', model_of([node('', ['x'], ['y'])])
    yield 'a node without inputs', model_of([node('Add', [], ['y'])])
    yield 'a node without outputs', model_of([node('Relu', ['x'], []), node('Relu', ['x'], ['y'])])
    yield 'absent inputs', model_of([node('Add', ['', ''], ['y'])])
    yield 'a million inputs', model_of([node('Add', ['x'] * 1_000_000, ['y'])])
    yield 'a million outputs', model_of([node('Relu', ['x'], [f'y{i}' for i in range(1_000_000)])], outputs=('y0',))
    yield 'outputs that clash', model_of([node('MaxPool', ['x'], ['y', 'y'], kernel_shape=[1])], inputs=(('x', [1, 1, 4]),))
    yield 'a name over lines', model_of([node('Relu', ['no\nsuch\r\n\x1b[2Jvalue'], ['y'])])
    yield 'a long name', model_of([node('Relu', ['n' * 1_000_000], ['y'])])
    yield 'a large reshape', model_of([node('Reshape', ['x', 's'], ['y'])], [numpy_helper.from_array(np.array([2**40, -1], np.int64), 's')])
    yield 'doubling shapes', model_of([node('Concat', [f'v{i}' if i else 'x'] * 2, [f'v{i + 1}'], axis=1) for i in range(64)] + [node('Relu', ['v64'], ['y'])])
    yield 'another operator set', model_of([node('Relu', ['x'], ['y'])], opset=2**40)
    yield 'a sparse tensor', changed(lambda g: g.sparse_initializer.add())
    model = gemm()
    graph = model.graph
    for _ in range(60):
        inner = graph.node.add(op_type='If')
        graph = inner.attribute.add(name='then_branch', type=AttributeProto.GRAPH).g
    yield 'graphs in graphs', model


def hostile_bytes():
    """Messages that no library would write."""
    def field(number, content):
        return bytes([number << 3 | 2]) + length(len(content)) + content

    def length(n):
        out = b''
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])
    nested = b''
    for _ in range(5000):  # graph -> node -> attribute -> graph
        nested = field(6, field(1, field(5, nested)))
    yield 'very deep', field(7, field(1, field(5, nested)))
    yield 'groups', b'\x3b' * 100_000
    yield 'open groups', field(7, b'\x0b' * 100_000)
    yield 'a length of 2 GB', b'\x3a\xff\xff\xff\xff\x07\x2a\xf0\xff\xff\xff\x07\x4a\xe0\xff\xff\xff\x07'
    yield 'a length beyond 2 GB', b'\x3a\xff\xff\xff\xff\x0f'
    yield 'a number without end', b'\x08' + b'\xff' * 1000
    yield 'a million empty tensors', field(7, b'\x2a\x00' * 1_000_000)
    yield 'a million empty nodes', field(7, b'\x0a\x00' * 1_000_000)
    yield 'empty', b''
    yield 'no model', b'\x89PNG\r\n\x1a\n' + bytes(100)


def external_attacks(folder):
    (folder / 'data.bin').write_bytes(bytes(48))
    (folder.parent / 'outside.bin').write_bytes(bytes(48))
    os.symlink('../outside.bin', folder / 'link.bin')
    os.symlink('..', folder / 'up')
    os.symlink('self', folder / 'self')
    os.mkfifo(folder / 'pipe')
    with open(folder / 'sparse.bin', 'wb') as sparse:
        sparse.truncate(1 << 40)
    for location in ('', '/etc/passwd', '../outside.bin', 'a/../../outside.bin', 'link.bin', 'up/outside.bin', 'self', 'pipe', '.', '/dev/zero',
                     'none.bin', str(folder / 'data.bin'), 'data.bin/', 'x' * 5000, 'n\nx', '\\\\server\\share', 'file:data.bin'):
        yield f'location {location[:40]!r}', with_weights(tensor([3, 4], external={'location': location}))
    for offset in ('-1', '1', '48', str(BIG), str(2**64), 'x', ' 0', '0x0', '1e1', ''):
        yield f'offset {offset!r}', with_weights(tensor([3, 4], external={'location': 'data.bin', 'offset': offset, 'length': '48'}))
    for size in ('-1', '0', '47', '49', str(BIG), str(2**64 + 48), 'x', ''):
        yield f'length {size!r}', with_weights(tensor([3, 4], external={'location': 'data.bin', 'length': size}))
    yield 'a sparse file', with_weights(tensor([2**38], external={'location': 'sparse.bin'}))
    for dims in HUGE_DIMS:
        yield f'external {dims[-4:]}', with_weights(tensor(dims, external={'location': 'data.bin'}))
    many = with_weights(tensor([3, 4], external={'location': 'data.bin', 'length': '48'}))
    many.graph.initializer.extend(TensorProto(name=f'v{i}', data_type=FLOAT, dims=[11], data_location=TensorProto.EXTERNAL) for i in range(500))
    for i, t in enumerate(many.graph.initializer[2:]):
        for key, value in (('location', 'data.bin'), ('offset', str(i % 4)), ('length', '44')):
            t.external_data.add(key=key, value=value)
    yield 'overlapping', many


def limit():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def processor_seconds():
    """What the programs started so far have computed: other work on the machine does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class HostileModels(ProgramTest):
    def setUp(self):
        super().setUp()
        self.models = self.folder / 'models'
        self.models.mkdir()
        self.path = self.models / 'm.onnx'
        self.slowest = 0.0

    def inspect(self, content):
        self.path.write_bytes(content)
        start = processor_seconds()
        done = subprocess.run([HALFTONE, 'inspect', self.path], capture_output=True, timeout=60, preexec_fn=limit)
        seconds = processor_seconds() - start
        self.slowest = max(self.slowest, seconds)
        if not SANITIZED:
            self.assertLess(seconds, SECONDS)
        return done

    def expect_refused(self, content):
        done = self.inspect(content)
        self.assertEqual(done.returncode, 3, done)
        self.assertEqual(done.stdout, b'')
        self.assertRegex(done.stderr, rb'\Ahalftone: \[[^\n\r\x1b]*\n\Z')
        self.assertNotIn(b'[internal]', done.stderr)
        self.assertNotIn(b'not enough memory', done.stderr)

    def expect_all_refused(self, models):
        count = 0
        for name, model in models:
            with self.subTest(name):
                self.expect_refused(model if isinstance(model, bytes) else model.SerializeToString())
                count += 1
        print(f'{count} models refused, the slowest in {self.slowest:.2f} s')

    def test_the_good_ones_are_good(self):
        for name, make in GOOD.items():
            with self.subTest(name):
                done = self.inspect(make().SerializeToString())
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_tensors(self):
        self.expect_all_refused(hostile_tensors())

    def test_inputs(self):
        self.expect_all_refused(hostile_inputs())

    def test_attributes(self):
        self.expect_all_refused(hostile_attributes())

    def test_graphs(self):
        self.expect_all_refused(hostile_graphs())

    def test_bytes(self):
        self.expect_all_refused(hostile_bytes())

    def test_external_data(self):
        self.expect_all_refused(external_attacks(self.models))

    def test_every_truncation(self):
        whole = gemm().SerializeToString()
        self.expect_all_refused((f'{length} bytes', whole[:length]) for length in range(len(whole)))

    def test_flipped_bytes_are_refused_or_harmless(self):
        dice = random.Random(1)
        counts = {0: 0, 3: 0}
        for name, make in GOOD.items():
            whole = make().SerializeToString()
            for round_ in range(120):
                changed = bytearray(whole)
                for _ in range(dice.randint(1, 3)):
                    changed[dice.randrange(len(changed))] = dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))
                with self.subTest(f'{name} {round_}'):
                    done = self.inspect(bytes(changed))
                    self.assertIn(done.returncode, (0, 3), done)
                    if done.returncode == 3:
                        self.expect_refused(bytes(changed))
                    counts[done.returncode] += 1
        print(f'{counts[3]} refused, {counts[0]} harmless')


if __name__ == '__main__':
    unittest.main()
