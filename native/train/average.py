"""Averages the moving means of two checkpoints of one run (Wortsman et al., 2022): what one has learned last and the other
not yet unlearned. SHARE (0 to 1) is the second's part.

python average.py FIRST.pt SECOND.pt SHARE OUT.pt
"""

import sys

import torch


def main():
    first, second = (torch.load(path, weights_only=True) for path in sys.argv[1:3])
    share = float(sys.argv[3])
    model = {name: torch.lerp(w, second['model'][name], share) for name, w in first['model'].items()}
    torch.save({**second, 'model': model, 'master': model, 'optimizer': None}, sys.argv[4])


if __name__ == '__main__':
    main()
