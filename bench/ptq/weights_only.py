"""The MLP with weights alone in few bits, beside Lab 6's figures for rounding to nearest."""
import statistics

MANY = ['--calibration-samples', '16384']
TENSOR = ['--granularity', 'tensor', '--full-range', '--weight-observer', 'mse', '--adaround', '--correct-bias', *MANY]
CHANNEL = ['--asymmetric', '--weight-observer', 'mse', '--adaround', '--correct-bias', *MANY]
BINARY = ['--bits', 'w1', '--error-feedback', '--correct-bias', *MANY]
ROWS = [  # what, recipe, the same rounded to nearest, Lab 6
    ('tensor, 3 bits', ['--bits', 'w3', *TENSOR], ['--bits', 'w3', *TENSOR[:5]], '96.61'),
    ('tensor, 2 bits', ['--bits', 'w2', *TENSOR], ['--bits', 'w2', *TENSOR[:5]], '85.75'),
    ('tensor, 1 bit', ['--bits', 'w1', *TENSOR], ['--bits', 'w1', *TENSOR[:5]], '13.14'),
    ('channel, 3 bits', ['--bits', 'w3', *CHANNEL], ['--bits', 'w3'], ''),
    ('channel, 2 bits', ['--bits', 'w2', *CHANNEL], ['--bits', 'w2'], ''),
    ('channel, binary', BINARY, ['--bits', 'w1'], ''),
]


def with_twos_complement(work, network, recipe):
    """One bit of two's complement is -1 or 0; the option says binary, -1 or +1, so a recipe file asks for it."""
    network.quantize(work / 'two.onnx', ['--bits', 'w2', *recipe[2:]])
    text = (work / 'two.recipe.toml').read_text().replace('bits = 2\n', 'bits = 1\n', 1)
    (work / 'one.toml').write_text(text)
    return ['--recipe', work / 'one.toml']


def table(groups, work):
    mlp = next(groups)
    print('Weights alone, MLP on MNIST: right classes of 100, median of the seeds')
    for name, recipe, _, _ in ROWS:
        print(f'  {name}: {" ".join(recipe)}')
    print(f'{"weights":18} {"best":>7} {"spread":>6} {"nearest":>8} {"Lab 6":>6}', flush=True)
    rows = []
    for name, *recipes, lab in ROWS:
        found = []
        for recipe in recipes:
            accuracies = []
            for network in mlp.networks():
                mine = with_twos_complement(work, network, recipe) if name == 'tensor, 1 bit' else recipe
                accuracies.append(network.judged(work, mine)[1]['accuracy'])
            found.append(accuracies)
        best, nearest = (statistics.median(f) for f in found)
        spread = max(found[0]) - min(found[0])
        print(f'{name:18} {best:7.2f} {spread:6.2f} {nearest:8.2f} {lab:>6}', flush=True)
        rows.append({'weights': name, 'recipe': recipes[0], 'best': best, 'spread': spread, 'nearest': nearest})
    return rows
