"""What training at the integers gains over rounding, one row a network and bits, beside the goals."""
import json
import pathlib
import statistics

from qat.cells import NETWORKS
from qat.runner import Runner, bits


def goal_of(text, real):
    """In right classes of 100, or None."""
    if not text:
        return None
    return real + float(text[5:] or 0) if text.startswith('float') else float(text)


def verdict(goal, accuracy):
    rounding = 1e-9  # a mean of three is not exact
    return '' if goal is None else 'yes' if accuracy >= goal - rounding else 'NO'


def half_spread(values):
    return (max(values) - min(values)) / 2


def listed(values):
    return ' '.join(f'{value:.2f}' for value in values)


class Table:
    def __init__(self, runner, json_file):
        self.runner, self.json_file, self.rows = runner, json_file, []

    def header(self):
        if self.runner.held_out:
            print(f'Trained at the integers: right classes of 100 of {self.runner.held_out} training rows held out (pictures: '
                  'same class as the float network; networks in float have seen these rows)')
        else:
            print('Trained at the integers: right classes of 100 in float, in integers that were rounded (the better of two ways, '
                  'on training rows),\nand in integers that were trained: mean, half the spread, each seed; minutes a seed')
        print(f'{"network":28} {"bits":5} {"goal":>10} {"float":>7} {"rounded":>7} {"trained":>7} {"±":>5} {"minutes":>7} '
              f'{"met":3}  seeds', flush=True)

    def _add(self, row, rounded, trained, minutes):
        met = '' if self.runner.held_out else row['met']
        half = half_spread(trained) if trained else ''
        numbers = [f'{statistics.mean(values):7.2f}' if values else ' ' * 7 for values in (row['float'], rounded, trained)]
        print(f'{row["network"]:28} {row["bits"]:5} {row["goal"]:>10} {" ".join(numbers)} {half:{"5.2f" if trained else "5"}} '
              f'{minutes:{"7.1f" if trained else "7"}} {met:3}  {listed(trained or row["float"])}', flush=True)
        self.rows.append(row)
        if self.json_file:
            pathlib.Path(self.json_file).write_text(json.dumps(self.rows, indent=1) + '\n')

    def float_row(self, network, seeds):
        real = [self.runner.float_accuracy(network, seed) for seed in seeds]
        met = verdict(goal_of(network.float_goal, 0), statistics.mean(real))
        self._add({'network': network.name, 'bits': 'float', 'goal': network.float_goal, 'float': real, 'met': met}, [], [], '')

    def row(self, network, cell, seeds):
        runner = self.runner
        real = [runner.float_accuracy(network, seed) for seed in seeds]
        rounded = [] if runner.held_out else [runner.rounded(network, cell, seed) for seed in seeds]
        trained = [runner.trained(network, cell, seed) for seed in seeds]
        accuracies = [entry['accuracy'] for entry in trained]
        minutes = statistics.mean(entry['minutes'] for entry in trained)
        met = verdict(goal_of(cell.goal, statistics.mean(real)), statistics.mean(accuracies))
        self._add({'network': network.name, 'bits': cell.bits, 'goal': cell.goal, 'recipe': bits(network, cell),
                   'training': runner.options(cell), 'held_out': runner.held_out, 'float': real, 'rounded': rounded,
                   'trained': trained, 'minutes': minutes, 'met': met},
                  [entry['accuracy'] for entry in rounded], accuracies, minutes)


def chosen_cells(network, chosen_bits):
    return [cell for cell in network.cells if not chosen_bits or cell.bits.lower() in chosen_bits]


def run(arguments):
    table = Table(Runner(arguments.work.resolve(), arguments.training, arguments.held_out), arguments.json)
    chosen_bits = [bits.lower() for bits in arguments.bits]
    table.header()
    for network in NETWORKS:
        cells = chosen_cells(network, chosen_bits)
        if arguments.only not in network.name or not cells:
            continue
        missing = table.runner.missing(network)
        if missing or (arguments.quick and not network.data):
            print(f'skipped: {network.name}, ' + (f'no {missing}' if missing else 'pictures take long'), flush=True)
            continue
        seeds = [1] if arguments.quick or network.one_seed else range(1, arguments.seeds + 1)
        if network.float_goal and not arguments.held_out:
            table.float_row(network, seeds)
        for cell in cells:
            table.row(network, cell, seeds)
    return 0
