"""What each method adds, one after the other, to bits alone: what decides the defaults."""
from ptq.networks import CLIP, PLAIN

STEPS = (
    ('plain', PLAIN),
    ('clip', ['--nearest', '--correct-bias=none', *CLIP]),
    ('bias', ['--nearest', '--correct-bias', *CLIP]),
    ('output', ['--nearest', '--correct-bias', *CLIP]),  # and all that follow: outputs of 8 bits
    ('feedback', ['--error-feedback', '--correct-bias', *CLIP]),
)


def table(groups, work):
    print('Methods one after the other, on training rows (of pictures, those calibrated on): the drop')
    for name, recipe in STEPS:
        print(f'  {name}: {" ".join(recipe)}')
    print(f'{"network":28} {"bits":5} ' + ' '.join(f'{name:>8}' for name, _ in STEPS), flush=True)
    rows = []
    for group in groups:
        network = group.networks()[0]
        for column in group.columns:
            drops = {}
            for name, recipe in STEPS:
                bits = ['--bits', column.lower(), '--output-bits', '8' if name in ('output', 'feedback') else column[3:]]
                real, integer = network.judged(work, [*bits, *recipe], network.choice)
                drops[name] = real['accuracy'] - integer['accuracy']
            print(f'{group.name:28} {column:5} ' + ' '.join(f'{drop:8.2f}' for drop in drops.values()), flush=True)
            rows.append({'network': group.name, 'bits': column, 'drops': drops})
    return rows
