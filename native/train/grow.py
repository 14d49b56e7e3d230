"""Makes a checkpoint deeper: each new layer is a copy of the one before it that adds nothing yet (Chen et al., 2016, Net2Net),
so that the grown model answers as the small one did. The optimizer's state is left out: train.py begins it anew.

python grow.py SMALL.pt OUT.pt LAYERS
"""

import sys

import torch


def grown(state, before, after):
    """The weights with `after` layers in place of `before`: the new ones stand evenly between the old ones."""
    out = {name: w for name, w in state.items() if not name.startswith('blocks.')}
    seen = set()
    for i in range(after):
        old = i * before // after
        for name, w in state.items():
            if name.startswith(f'blocks.{old}.'):
                adds = name.endswith(('out.weight', 'down.weight'))
                out[f'blocks.{i}.{name.split(".", 2)[2]}'] = w * 0 if adds and old in seen else w.clone()
        if old == 0 and i:  # the first layer has no norm before its attention
            out[f'blocks.{i}.attn_norm.weight'] = torch.ones_like(out['norm.weight'])
        seen.add(old)
    return out


def main():
    state, layers = torch.load(sys.argv[1], weights_only=True), int(sys.argv[3])
    before = state['shape']['layers']
    for part in ('model', 'master'):
        state[part] = grown(state[part], before, layers)
    state['shape']['layers'], state['optimizer'], state['seconds'] = layers, None, 0.0
    torch.save(state, sys.argv[2])


if __name__ == '__main__':
    main()
