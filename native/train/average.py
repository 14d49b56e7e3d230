"""Averages the weights of two checkpoints of one run (Wortsman et al., 2022): what one has learned last and the other
not yet unlearned.

python average.py FIRST.pt SECOND.pt OUT.pt
"""

import sys

import torch


def main():
    first, second = (torch.load(path, weights_only=True) for path in sys.argv[1:3])
    first['model'] = {name: (w + second['master'][name]) / 2 for name, w in first['model'].items()}
    torch.save(first, sys.argv[3])


if __name__ == '__main__':
    main()
