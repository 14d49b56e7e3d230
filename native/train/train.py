"""Trains canary-guard from scratch. Checkpoints every `--save` steps and goes on from the last one when started again.

python train.py --data DIR --out DIR [--steps N] [--width 192 …]
"""

import argparse
import json
import os
import random
import time

import corpus
import torch
from model import CanaryGuard, Shape
from torch.nn import functional as F
from vocabulary import Vocabulary
from vocabulary import train as train_vocabulary
from windows import labelled

WEIGHT = {'train-agentdyn-github': 0.4, 'train-agentdyn-github-retemplated': 1.0, 'bipia:bipia-train': 1.5}


def arguments():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('--data', required=True, help='folder of the training data')
    a.add_argument('--out', required=True, help='folder for vocabulary, checkpoint and log')
    a.add_argument('--steps', type=int, default=5000)
    a.add_argument('--tokens', type=int, default=8192, help='tokens of one step')
    a.add_argument('--rate', type=float, default=1.2e-3)
    a.add_argument('--save', type=int, default=100)
    a.add_argument('--own', type=float, default=1.0, help='generated examples for each one of the data')
    a.add_argument('--seed', type=int, default=20261123)
    for name in ('vocabulary', 'width', 'layers', 'feed_forward', 'heads', 'context'):
        a.add_argument('--' + name.replace('_', '-'), type=int, default=getattr(Shape, name))
    return a.parse_args()


def make_vocabulary(options, examples):
    path = os.path.join(options.out, 'tokenizer.json')
    if not os.path.exists(path):
        texts = [t for e in examples for _, t in e.segments] + [
            t for e in corpus.generated(1, 20000, 5000) for _, t in e.segments
        ]
        Vocabulary(train_vocabulary(texts, options.vocabulary)).save(path)
    return Vocabulary.load(path)


def epoch(options, vocabulary, examples, number):
    """Batches of one pass: the data as sampled, and as many new examples of the generators."""
    r = random.Random(options.seed * 1000 + number)
    chosen = [e for e in examples if r.random() < WEIGHT.get(e.source, 1.0)]
    own = int(len(chosen) * options.own)
    chosen += corpus.generated(options.seed + 7919 * number, int(own * 0.7), int(own * 0.3))
    # A user's words before a text that came without them: else their presence would tell the kinds apart.
    slots = corpus.Slots(options.seed + number)
    chosen = [
        e._replace(segments=[('instruction', corpus.task(slots)[1])] + e.segments)
        if len(e.segments) == 1 and r.random() < 0.4
        else e
        for e in chosen
    ]
    chosen = [
        e._replace(segments=e.segments[1:]) if len(e.segments) == 2 and e.malicious is None and r.random() < 0.3 else e
        for e in chosen
    ]
    rows = [w for e in chosen if (w := labelled(vocabulary, e, options.context, r.randrange)) is not None]
    r.shuffle(rows)
    block = 4096
    batches = []
    for i in range(0, len(rows), block):
        part = sorted(rows[i : i + block], key=lambda w: len(w[0]))
        batch, longest = [], 0
        for row in part:
            longest = max(longest, len(row[0]))
            if batch and longest * (len(batch) + 1) > options.tokens:
                batches.append(batch)
                batch, longest = [], len(row[0])
            batch.append(row)
        batches.append(batch)
    r.shuffle(batches)
    return batches


def tensors(batch, device):
    length = max(len(w[0]) for w in batch)
    pad = lambda values, fill: torch.tensor([v + [fill] * (length - len(v)) for v in values], device=device)
    ids = pad([w[0] for w in batch], 1)
    real = pad([[1] * len(w[0]) for w in batch], 0).bool()
    return (
        ids,
        real,
        torch.tensor([[w[1], w[2]] for w in batch], device=device).float(),
        pad([w[3] for w in batch], -1).float(),
    )


def loss_of(logits, spots, labels, tokens, smooth=0.02):
    known = labels >= 0
    main = F.binary_cross_entropy_with_logits(logits[known], labels[known] * (1 - 2 * smooth) + smooth)
    marked = tokens >= 0
    spot = (
        F.binary_cross_entropy_with_logits(
            spots[marked], tokens[marked], pos_weight=torch.tensor(3.0, device=spots.device)
        )
        if marked.any()
        else 0
    )
    return main + 0.5 * spot


def main():
    o = arguments()
    os.makedirs(o.out, exist_ok=True)
    torch.manual_seed(o.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    examples, _ = corpus.load(o.data)
    vocabulary = make_vocabulary(o, examples)
    shape = Shape(
        vocabulary=vocabulary.size,
        context=o.context,
        width=o.width,
        layers=o.layers,
        feed_forward=o.feed_forward,
        heads=o.heads,
    )
    model = CanaryGuard(shape).to(device)
    decay = [p for p in model.parameters() if p.ndim == 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{'params': decay, 'weight_decay': 0.05}, {'params': plain, 'weight_decay': 0}], lr=o.rate, betas=(0.9, 0.98)
    )
    path, step, number, done = os.path.join(o.out, 'checkpoint.pt'), 0, 0, 0
    if os.path.exists(path):
        state = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state['model'])
        optimizer.load_state_dict(state['optimizer'])
        step, number, done = state['step'], state['epoch'], state['batch']
    print(
        f'{sum(p.numel() for p in model.parameters()) / 1e6:.2f} million parameters on {device}, from step {step}',
        flush=True,
    )
    model.train()
    since, total = time.time(), 0.0
    while step < o.steps:
        batches = epoch(o, vocabulary, examples, number)
        for batch in batches[done:]:
            for group in optimizer.param_groups:
                left = max(0.0, 1 - step / o.steps)
                group['lr'] = o.rate * min(1.0, (step + 1) / 200, left * 1.6)
            ids, real, labels, tokens = tensors(batch, device)
            with torch.autocast(device, dtype=torch.bfloat16):
                logits, spots = model(ids, real)
            loss = loss_of(logits, spots, labels, tokens)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            step, done = step + 1, done + 1
            if step % 25 == 0:
                print(
                    json.dumps(
                        {
                            'step': step,
                            'epoch': number,
                            'loss': round(total / 25, 4),
                            'seconds': round(time.time() - since, 1),
                        }
                    ),
                    flush=True,
                )
                since, total = time.time(), 0.0
            if step % o.save == 0 or step >= o.steps:
                torch.save(
                    {
                        'model': model.state_dict(),
                        'optimizer': optimizer.state_dict(),
                        'shape': shape.as_dict(),
                        'step': step,
                        'epoch': number,
                        'batch': done,
                    },
                    path + '.new',
                )
                os.replace(path + '.new', path)
            if step >= o.steps:
                break
        number, done = number + 1, 0


if __name__ == '__main__':
    main()
