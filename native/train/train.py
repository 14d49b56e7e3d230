"""Trains canary-guard from scratch. Checkpoints every `--save` steps and goes on from the last one when started again.

python train.py --data DIR --words DIR --out DIR [--minutes N] [--processes 2] [--width 160 …]

Each of `--processes` makes its own examples; gradients are averaged after each step. The rate follows the time that is
left, so that a run ends when it was told to. Weights are bfloat16 copies of float32 ones; what is kept is their moving mean.
"""

import argparse
import copy
import json
import os
import random
import time

import corpus
import torch
import torch.distributed as dist
from made import Maker
from model import CanaryGuard, Shape
from pages import messages, pages
from remarks import spoken
from torch.nn import functional as F
from vocabulary import Vocabulary
from vocabulary import train as train_vocabulary
from windows import labelled
from wordnet import Words

# How many of a hundred examples: our results, our calls, and of the data by what it is.
SHARES = {'own': 54, 'call': 5, 'bare': 10, 'dressed': 6, 'clean': 6, 'recorded': 8, 'docs': 4, 'pages': 4, 'comments': 6, 'strings': 4, 'abroad': 8, 'calls': 3}

PAUSE = 10  # seconds: a step that took longer had to wait for the machine, and the rest of it does not count


def arguments():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('--data', required=True, help='folder of the training data')
    a.add_argument('--words', required=True, help='folder `dict` of WordNet')
    a.add_argument('--pages', nargs='*', default=[], help='folders of npm packages whose documentation is harmless text')
    a.add_argument('--out', required=True, help='folder for vocabulary, checkpoint and log')
    a.add_argument('--minutes', type=float, default=60)
    a.add_argument('--processes', type=int, default=2)
    a.add_argument('--tokens', type=int, default=6144, help='tokens of one step and process')
    a.add_argument('--rate', type=float, default=2e-3)
    a.add_argument('--save', type=int, default=100)
    a.add_argument('--seed', type=int, default=20261123)
    for name in ('vocabulary', 'width', 'layers', 'feed_forward', 'heads', 'context'):
        a.add_argument('--' + name.replace('_', '-'), type=int, default=getattr(Shape, name))
    return a.parse_args()


def shelves(examples):
    """The data by what SHARES tells apart, and the clean results that sentences are put into."""
    by = {name: [] for name in ('bare', 'dressed', 'clean', 'recorded', 'docs', 'calls')}
    real = []
    for e in examples:
        if e.malicious is not None:
            by['calls'].append(e)
            continue
        text = e.segments[-1][1]
        recorded, docs = 'agentdyn' in e.source and 'augmented' not in e.source or 'tau' in e.source, 'repo:' in e.source
        if e.injection == 0 and (recorded or docs or 'bipia' in e.source) and len(text) > 40:
            real.append((e.segments[0][1] if len(e.segments) > 1 else None, text))
        if docs or 'prompts' in e.source:
            by['docs'].append(e)
        elif recorded:
            by['recorded'].append(e)
        elif e.injection == 0:
            by['clean'].append(e)
        else:
            by['bare' if e.family == 'bare-goal' else 'dressed'].append(e)
    return by, real


def make_vocabulary(options, examples, maker):
    path = os.path.join(options.out, 'tokenizer.json')
    if not os.path.exists(path):
        chosen = random.Random(1).sample(examples, 16000) + maker.many(30000, 4000)
        texts = [t for e in chosen for _, t in e.segments] + maker.words.sentences[::4]
        Vocabulary(train_vocabulary(texts, options.vocabulary)).save(path)
    return Vocabulary.load(path)


class Stream:
    """Batches without end; the same seed and step make the same ones."""

    def __init__(self, options, vocabulary, by, real, words, seed):
        self.o, self.vocabulary, self.by = options, vocabulary, by
        self.r = random.Random(seed)
        self.maker = Maker(seed, words, real)
        self.names = [n for n, share in SHARES.items() for _ in range(share) if by.get(n, True)]

    def example(self):
        name = self.r.choice(self.names)
        if name == 'own':
            return self.maker.result()
        if name == 'call':
            return self.maker.call()
        e = self.r.choice(self.by[name])
        if name == 'calls':
            return e
        # A user's words stand before texts that came without them: else their presence would tell the kinds apart.
        if len(e.segments) == 1 and self.r.random() < 0.5:
            return e._replace(segments=[('instruction', self.maker.task()[1]), *e.segments])
        if len(e.segments) == 2 and self.r.random() < 0.3:
            return e._replace(segments=e.segments[1:])
        return e

    def batches(self):
        while True:
            self.vocabulary.drop(0.08 if self.r.random() < 0.3 else 0)
            rows = []
            while len(rows) < 400:
                row = labelled(self.vocabulary, self.example(), self.o.context, self.r.randrange)
                if row is not None:
                    rows.append(row)
            rows.sort(key=lambda w: len(w[0]) + self.r.random())
            batches, batch = [], []
            for row in rows:
                if batch and len(row[0]) * (len(batch) + 1) > self.o.tokens:
                    batches.append(batch)
                    batch = []
                batch.append(row)
            batches.append(batch)
            self.r.shuffle(batches)
            yield from batches


def tensors(batch):
    length = max(len(w[0]) for w in batch)
    pad = lambda values, fill: torch.tensor([v + [fill] * (length - len(v)) for v in values])
    return (
        pad([w[0] for w in batch], 1),
        pad([[1] * len(w[0]) for w in batch], 0).bool(),
        torch.tensor([w[1] for w in batch]),
        torch.tensor([[w[2], w[3]] for w in batch]).float(),
        pad([w[4] for w in batch], -1).float(),
    )


def loss_of(logits, spots, labels, tokens, smooth=0.01):
    known = labels >= 0
    main = F.binary_cross_entropy_with_logits(logits[known], labels[known] * (1 - 2 * smooth) + smooth)
    marked = tokens >= 0
    if not marked.any():
        return main
    spot = F.binary_cross_entropy_with_logits(spots[..., 0][marked], tokens[marked], pos_weight=torch.tensor(2.0))
    return main + spot


def work(rank, o):
    if o.processes > 1:
        os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
        os.environ.setdefault('MASTER_PORT', '29561')
        dist.init_process_group('gloo', rank=rank, world_size=o.processes)
    torch.set_num_threads(1)
    torch.manual_seed(o.seed)
    examples, _ = corpus.load(o.data)
    by, real = shelves(examples)
    by['pages'] = list({e.segments[0][1]: e for folder in o.pages for e in pages(folder)}.values())
    real += [(None, e.segments[0][1]) for e in by['pages'][::4]]
    by['abroad'] = [e for folder in o.pages for e in messages(folder)]
    real += [(None, e.segments[0][1]) for e in by['abroad'][::60]]
    said = list(spoken(o.pages))
    for name in ('comments', 'strings'):
        by[name] = [e for e in said if e.source == name]
        real += [(None, e.segments[0][1]) for e in by[name][::20]]
    words = Words(o.words)
    if rank == 0:
        make_vocabulary(o, examples, Maker(1, words, real))
    if o.processes > 1:
        dist.barrier()
    vocabulary = Vocabulary.load(os.path.join(o.out, 'tokenizer.json'))
    shape = Shape(vocabulary.size, o.context, o.width, o.layers, o.feed_forward, o.heads)
    master = CanaryGuard(shape)
    optimizer = torch.optim.AdamW(
        [
            {'params': [p for p in master.parameters() if p.ndim == 2], 'weight_decay': 0.05},
            {'params': [p for p in master.parameters() if p.ndim < 2], 'weight_decay': 0},
        ],
        lr=o.rate,
        betas=(0.9, 0.98),
    )
    mean = copy.deepcopy(master)
    path, step, used, seen, slow = os.path.join(o.out, 'checkpoint.pt'), 0, 0.0, 0, 100
    if os.path.exists(path):
        state = torch.load(path, weights_only=True)
        master.load_state_dict(state['master'])
        mean.load_state_dict(state['model'])
        if state['optimizer']:  # grow.py leaves it out
            optimizer.load_state_dict(state['optimizer'])
            slow = 0
        step, used, seen = state['step'], state['seconds'], state['tokens']
    quick = copy.deepcopy(master).bfloat16()
    start = step
    if rank == 0:
        print(f'{sum(p.numel() for p in master.parameters()) / 1e6:.2f} million parameters, from step {step}', flush=True)
    stream = Stream(o, vocabulary, by, real, words, o.seed + 7919 * rank + 104729 * step)
    last, total, marks = time.time(), [0.0, 0], (step, seen, time.time())
    for batch in stream.batches():
        now = time.time()
        used, last = used + min(now - last, PAUSE), now
        share = torch.tensor(min(1.0, used / (60 * o.minutes)))
        ids, tell, first, labels, tokens = tensors(batch)
        logits, spots = quick(ids, tell, first)
        loss = loss_of(logits, spots, labels, tokens)
        loss.backward()
        flat = torch.cat([p.grad.float().flatten() for p in quick.parameters()] + [share[None], torch.tensor([float(ids.numel())])])
        if o.processes > 1:
            dist.all_reduce(flat)
        share, n = flat[-2].item() / o.processes, int(flat[-1].item())
        flat = flat[:-2] / o.processes
        flat *= min(1.0, 1.0 / (flat.norm().item() + 1e-6))
        at = 0
        for p in master.parameters():
            p.grad = flat[at : at + p.numel()].view_as(p)
            at += p.numel()
        for group in optimizer.param_groups:
            group['lr'] = o.rate * min(1.0, (step - start + 1) / (slow or 1), max(0.01, (1 - share) * 1.5))
        optimizer.step()
        with torch.no_grad():
            keep = min(0.99, (step + 1) / (step + 20))
            for p, q, m in zip(master.parameters(), quick.parameters(), mean.parameters()):
                q.copy_(p)
                q.grad = None
                m.lerp_(p, 1 - keep)
        step, seen, total = step + 1, seen + n, [total[0] + loss.item(), total[1] + 1]
        if rank == 0 and step % 25 == 0:
            print(json.dumps({'step': step, 'loss': round(total[0] / total[1], 4), 'tokens': seen, 'rate': round((seen - marks[1]) / (now - marks[2])), 'share': round(share, 3)}), flush=True)  # fmt: skip
            total, marks = [0.0, 0], (step, seen, now)
        if rank == 0 and (step % o.save == 0 or share >= 1):
            torch.save({'model': mean.state_dict(), 'master': master.state_dict(), 'optimizer': optimizer.state_dict(), 'shape': shape.as_dict(), 'step': step, 'seconds': used, 'tokens': seen}, path + '.new')  # fmt: skip
            os.replace(path + '.new', path)
        if share >= 1:
            break


def main():
    o = arguments()
    os.makedirs(o.out, exist_ok=True)
    if o.processes > 1:
        torch.multiprocessing.spawn(work, (o,), nprocs=o.processes)
    else:
        work(0, o)


if __name__ == '__main__':
    main()
