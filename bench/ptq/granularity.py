"""One weight scale a tensor, a channel or a group: what each architecture loses, everything else alike."""
from ptq.networks import CLIP

KINDS = ('tensor', 'channel', 'group=32')
BITS = ('w8a8', 'w4a8')
RECIPE = ['--nearest', '--correct-bias=none', *CLIP]
WHY = """A tensor's one scale is that of its largest channel: where channels differ by orders of magnitude, as after folding
batch-norm into depthwise layers of nine weights a channel, the small ones are left a few steps. Dense layers whose channels
are alike lose little by it."""


def table(groups, work):
    print(f'Granularity of weights, on training rows (of pictures, those calibrated on); {" ".join(RECIPE)}: the drop')
    print(f'{"network":28} ' + ' '.join(f'{bits + " " + kind:>14}' for bits in BITS for kind in KINDS), flush=True)
    rows = []
    for group in groups:
        network = group.networks()[0]
        drops = {}
        for bits in BITS:
            for kind in KINDS:
                recipe = ['--bits', bits, '--granularity', kind, *RECIPE]
                real, integer = network.judged(work, recipe, network.choice)
                drops[f'{bits} {kind}'] = real['accuracy'] - integer['accuracy']
        print(f'{group.name:28} ' + ' '.join(f'{drop:14.2f}' for drop in drops.values()), flush=True)
        rows.append({'network': group.name, 'drops': drops})
    print(WHY)
    return rows
