"""The cells of the table: networks, bits, goals, and how each cell is trained."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Cell:
    bits: str
    goal: str  # right of 100, or 'float', 'float-0.3': those of the float network, and the change; '': none
    training: str  # options of halftone finetune


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    cells: tuple
    data: str = ''  # a data set; '': the pictures of ImageNet, half of them to train on, without labels, half to judge on
    preparation: str = ''  # how samples are prepared
    train: str = ''  # options of halftone train, one float network a seed
    file: str = ''  # or a trained network in the folder of models
    float_goal: str = ''
    below_8: str = ''  # options of bits where there are fewer than 8
    one_seed: bool = False


# Rounding and training get the same options of bits.
ALIKE = '--sum-bits 8 --output-bits 16'
FIRST_LAST = f'--first-last w8a8 {ALIKE}'

# Choose epochs and rates on held-out training rows (bench/accuracy --qat --held-out N), never by the test rows. Most of these are
# first guesses, or stem from runs that were compared on test rows: only the rate of resnet20 at W4A4 was chosen so.
LENET = (Cell('W8A8', 'float', '--epochs 5'),
         Cell('W4A4', 'float-0.3', '--epochs 15'),
         Cell('W2A2', 'float-3', '--epochs 30 --learning-rate 0.001 --step-rate 0.003'))
NETWORKS = (
    Network('MLP, MNIST', data='mnist', train='mlp --epochs 10', float_goal='98.2', below_8=ALIKE, cells=(
        Cell('W8A8', 'float-0.05', '--epochs 5'),
        Cell('W4A4', 'float-0.1', '--epochs 10'),
        Cell('W2A2', '97.5', '--epochs 20'),
        Cell('W1A8', '97.4', '--epochs 20 --learning-rate 0.001'))),
    Network('LeNet, CIFAR-10', data='cifar10', train='lenet --epochs 20', below_8=FIRST_LAST, cells=LENET),
    Network('LeNet with bias, CIFAR-10', data='cifar10', train='lenet-bias --epochs 20', below_8=FIRST_LAST, cells=LENET),
    Network('cifar10_resnet8_mlperf_tiny', data='cifar10', preparation='--preset raw', file='cifar10_resnet8_mlperf_tiny.onnx',
            below_8=FIRST_LAST, cells=(
                Cell('W8A8', '87.1', '--epochs 3'),
                Cell('W4A4', '87.0', '--epochs 12'),
                Cell('W2A2', '81.5', '--epochs 60 --learning-rate 0.001 --step-rate 0.003'))),
    Network('cifar10_resnet20', data='cifar10', preparation='--preset imagenet', file='cifar10_resnet20.onnx',
            below_8=FIRST_LAST, cells=(
                Cell('W8A8', '91.7', '--epochs 2 --learning-rate 0.0001 --label-weight 0'),
                Cell('W4A4', '91.4', '--epochs 4 --learning-rate 0.0001 --label-weight 0'),
                Cell('W2A2', '86.5', '--epochs 30 --learning-rate 0.001 --step-rate 0.003'))),
    Network('imagenet_mobilenetv2_float', preparation='--preset tf --label-offset 1', file='imagenet_mobilenetv2_float.onnx.gz',
            below_8=FIRST_LAST, one_seed=True, cells=(
                Cell('W4A8', 'float-3', '--epochs 4 --learning-rate 0.0001'),
                Cell('W4A4', 'float-6', '--epochs 20'),
                Cell('W5A5', '', '--epochs 20'))),
)
