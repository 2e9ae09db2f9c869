"""Orders that the literature reports between methods, and whether they hold here."""
from ptq.networks import CLIP, PLAIN

NEAREST = ['--nearest', '--correct-bias=none', *CLIP]
W4A4 = ['--bits', 'w4a4', '--output-bits', '8']
SMALL = ('MLP, MNIST', 'LeNet, CIFAR-10', 'cifar10_resnet20', 'cifar10_resnet8_mlperf_tiny')
ORDERS = [  # worse, better, as recipes, and where
    ('w4a8: nearest < AdaRound', ['--bits', 'w4a8', *PLAIN], ['--bits', 'w4a8', '--adaround', *PLAIN[1:]], SMALL),
    ('w8a8: tensor < channel', ['--bits', 'w8a8', '--granularity', 'tensor'], ['--bits', 'w8a8'],
     ('imagenet_mobilenetv2_float',)),
    ('w4a4: minmax < mse', [*W4A4, *PLAIN], [*W4A4, *NEAREST], SMALL),
    ('w4a4: minmax < kl', [*W4A4, *PLAIN], [*W4A4, *PLAIN[:2], '--observer', 'kl', '--weight-observer', 'minmax'], SMALL),
    ('w4a4: no bias < corrected', [*W4A4, *NEAREST], [*W4A4, '--nearest', '--correct-bias', *CLIP], SMALL),
]


def table(groups, work):
    print('Published orders, on training rows (of pictures, those calibrated on): right classes of 100')
    print(f'{"order":28} {"network":28} {"worse":>7} {"better":>7}  holds', flush=True)
    rows = []
    for group in groups:
        for name, worse, better, where in ORDERS:
            if group.name not in where:
                continue
            network = group.networks()[0]
            low, high = (network.judged(work, recipe, network.choice)[1]['accuracy'] for recipe in (worse, better))
            print(f'{name:28} {group.name:28} {low:7.2f} {high:7.2f}  {"yes" if low < high else "NO"}', flush=True)
            rows.append({'order': name, 'network': group.name, 'worse': low, 'better': high})
    return rows
