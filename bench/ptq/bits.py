"""What bits of weights and activations cost, one recipe a column, beside the shipped defaults."""
METHODS = ['--weight-observer', 'mse', '--correct-bias', '--output-bits', '16']
COLUMNS = {
    'W8A8': ['--bits', 'w8a8', '--observer', 'minmax', *METHODS, '--error-feedback', '--smooth=0.75'],
    'W4A8': ['--bits', 'w4a8', '--first-last', 'w8a8', '--observer', 'mse', *METHODS, '--error-feedback'],
    'W4A4': ['--bits', 'w4a4', '--first-last', 'w8a8', '--observer', 'mse', *METHODS, '--adaround'],
}
ALIKE = {column: [word for word in COLUMNS[column] if word not in ('--first-last', 'w8a8')] for column in ('W4A8', 'W4A4')}
DEFAULTS = {'W8A8': ['--bits', 'w8a8'], 'W4A8': ['--bits', 'w4a8'], 'W4A4': ['--bits', 'w4a4']}


def table(groups, work):
    print('Bits: right classes of 100 in float and in integers, and the drop; three seeds or calibration subsets')
    for column, recipe in COLUMNS.items():
        print(f'  {column}: {" ".join(recipe)}')
    print('  alike: the same without --first-last; defaults: --bits alone (of the first seed or subset)')
    print(f'{"network":28} {"bits":5} {"float":>7} {"integer":>8} {"drop":>6} {"spread":>6} {"same class":>10} '
          f'{"alike: drop":>11} {"defaults: drop":>14}', flush=True)
    rows = []
    for group in groups:
        for column in group.columns:
            best = group.measured(work, COLUMNS[column])
            usual = group.measured(work, DEFAULTS[column], first=True)
            alike = group.measured(work, ALIKE[column], first=True) if column in ALIKE else None
            print(f'{group.name:28} {column:5} {best["float"]:7.2f} {best["integer"]:8.2f} {best["drop"]:6.2f} '
                  f'{best["spread"]:6.2f} {best["same_class"]:10.2f} {alike["drop"] if alike else float("nan"):11.2f} '
                  f'{usual["drop"]:14.2f}', flush=True)
            rows.append({'network': group.name, 'bits': column, 'recipe': COLUMNS[column], **best, 'alike': alike,
                         'defaults': usual})
    return rows
