"""The table of Qiu et al. (FPGA 2016), static and dynamic precision: every scale a power of two, one for each tensor.

Static: one fraction length for all data and one for all weights, those that keep the float network's class on the most of 500
training rows (or of 40 of the pictures calibrated on).
Dynamic: each tensor its own, argmin of the summed absolute error.
"""
import json
import math

from ptq.networks import halftone

NETWORKS = ('MLP, MNIST', 'LeNet, CIFAR-10', 'cifar10_resnet20', 'imagenet_squeezenet1_1')
COMMON = ['--granularity', 'tensor', '--full-range']
SHIFT = [*COMMON, '--symmetric', '--arithmetic', 'shift']
STATIC = ((16, 16), (16, 8), (8, 8))  # bits of data, of weights


def kept(network, work, recipe):
    return network.judged(work, recipe, network.few)[1]['same_class_as_first']


def best_length(candidates, kept_by):
    """The middle of the best: neither the coarsest nor the one that saturates next."""
    found = {length: kept_by(length) for length in candidates}
    best = [length for length in candidates if found[length] == max(found.values())]
    return best[len(best) // 2]


def weights_length(network, work, weights):
    return best_length(range(weights - 4, weights + 3), lambda length: kept(
        network, work, ['--bits', f'w{weights}', *COMMON, '--power-of-two', '--weight-observer', f'fixed={length}']))


def static_recipe(network, work, data, weights, w):
    bits = ['--bits', f'w{weights}a{data}', *SHIFT, '--weight-observer', f'fixed={w}']
    d = best_length(range(data - 13, data - 1), lambda length: kept(
        network, work, [*bits, '--observer', f'fixed={length}']))
    return [*bits, '--observer', f'fixed={d}'], f'2^{-d}', f'2^{-w}'


def connected_layers(path):
    """Products with matrices; of a network without them, the last layer, which has their place."""
    layers = [layer for layer in json.loads(halftone('inspect', path, '--json'))['layers'] if layer.get('parameters')]
    products = [layer['name'] for layer in layers if layer['op'] in ('Gemm', 'MatMul')]
    return products or [layers[-1]['name']]


def with_four_bits(network, work, recipe):
    network.quantize(work / 'eight.onnx', recipe)
    text = (work / 'eight.recipe.toml').read_text()
    for name in connected_layers(work / 'eight.onnx'):
        text += f'\n[[layer]]\nname = {json.dumps(name)}\nbits = 4\n'
    (work / 'four.toml').write_text(text)
    return ['--recipe', work / 'four.toml']


def lengths(network, work, recipe):
    """The fraction lengths that each layer got, of weights and of results."""
    network.quantize(work / 'lengths.onnx', recipe)
    layers = json.loads(halftone('inspect', work / 'lengths.onnx', '--json'))['layers']
    exponents = [layer['scale'] for layer in layers if layer.get('scale')]
    data = sorted({-int(math.log2(scale)) for scale in exponents})
    return f'2^{-data[0]} to 2^{-data[-1]}'


def table(groups, work):
    print('Fixed point as in Qiu et al.: right classes of 100 of 2,000 test rows; fraction lengths chosen on training rows')
    print(f'{"network":24} {"data":>6} {"weights":>7} {"precision":9} {"of data":>15} {"of weights":>10} {"right":>7} '
          f'{"drop":>6}', flush=True)
    rows = []

    def show(name, data, weights, precision, of_data, of_weights, network, recipe):
        real, integer = network.judged(work, recipe, [*network.test, '--samples', '2000'])
        drop = real['accuracy'] - integer['accuracy']
        print(f'{name:24} {data:>6} {weights:>7} {precision:9} {of_data:>15} {of_weights:>10} {integer["accuracy"]:7.2f} '
              f'{drop:6.2f}', flush=True)
        rows.append({'network': name, 'data': data, 'weights': weights, 'precision': precision, 'of_data': of_data,
                     'of_weights': of_weights, 'right': integer['accuracy'], 'drop': drop})

    for group in groups:
        if group.name not in NETWORKS:
            continue
        network = group.networks()[0]
        of_bits = {weights: weights_length(network, work, weights) for weights in {weights for _, weights in STATIC}}
        for data, weights in STATIC:
            recipe, of_data, of_weights = static_recipe(network, work, data, weights, of_bits[weights])
            show(group.name, data, weights, 'static', of_data, of_weights, network, recipe)
        dynamic = ['--bits', 'w8a8', *SHIFT, '--observer', 'l1', '--weight-observer', 'l1']
        show(group.name, 8, 8, 'dynamic', lengths(network, work, dynamic), 'by tensor', network, dynamic)
        mixed = with_four_bits(network, work, dynamic)
        show(group.name, 8, '8 or 4', 'dynamic', lengths(network, work, mixed), 'by tensor', network, mixed)
    return rows
