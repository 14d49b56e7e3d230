"""Fits temperature and bias of each label on examples that training did not see (Platt, 1999), for a world in which most
of what is read is harmless.

The result's line can be given (export.py --line): then the detector's own fusion has set it, on the tuning data, and the
temperature is 1. Else, and for calls, the temperature is fitted on the data that was held out and on examples of the generators with a seed of their own. The
bias is then set so that the probability 0.9, from which the detector believes the model, is where at most ALLOWED of the
harmless ones among them lie above, source by source: the strictest source counts.
"""

import collections
import math
import random

import corpus
import torch
from made import Maker
from scoring import logits
from torch.nn import functional as F

BELIEVED = 0.9
ALLOWED = {'injection': 0.005, 'malicious': 0.002}
LEAST = 400  # a source with fewer examples is counted together with the other small ones


def sample(data, words, only_calls, seed=99, most=1800):
    train, held = corpus.load(data)
    r = random.Random(seed)
    calls = [e for e in train + held if e.malicious is not None]
    chosen = r.sample(calls, min(most, len(calls))) + Maker(seed, words).many(0, 1000)
    if only_calls:
        return chosen
    return chosen + r.sample(held, min(most, len(held))) + Maker(seed, words).many(1600, 0)


def scale_of(scores, labels):
    """1 / temperature, with a bias that is thrown away; both classes weigh the same."""
    scale, bias = torch.ones(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    weight = torch.where(labels > 0, 0.5 / labels.mean().clamp(1e-3, 1), 0.5 / (1 - labels).mean().clamp(1e-3, 1))
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(scores * scale.clamp_min(0.02) + bias, labels, weight=weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    return max(0.02, scale.item())


def line(scores, sources, allowed):
    """The logit that at most `allowed` of the harmless examples reach, in the source where most do."""
    by = collections.defaultdict(list)
    for z, source in zip(scores.tolist(), sources):
        by[source].append(z)
    small = [z for values in by.values() if len(values) < LEAST for z in values]
    groups = [values for values in by.values() if len(values) >= LEAST] + ([small] if small else [])
    return max(sorted(values)[min(len(values) - 1, math.ceil((1 - allowed) * len(values)))] for values in groups)


def calibrate(model, vocabulary, examples, given=None):
    """{'temperature': [...], 'bias': [...], 'threshold': [...]}, one value a label."""
    scores = logits(model, vocabulary, [e.segments for e in examples])
    out = {'temperature': [], 'bias': [], 'threshold': []}
    for j, name in enumerate(('injection', 'malicious')):
        if j == 0 and given is not None:
            out['temperature'].append(1.0)
            out['bias'].append(math.log(BELIEVED / (1 - BELIEVED)) - given)
            out['threshold'].append(BELIEVED)
            continue
        known = [i for i, e in enumerate(examples) if getattr(e, name) is not None]
        z = scores[known, j]
        y = torch.tensor([float(getattr(examples[i], name)) for i in known])
        scale = scale_of(z, y)
        # What users type is no result; it was shown to the model and is left out here.
        clean = [n for n, i in enumerate(known) if y[n] == 0 and 'cyberseceval' not in examples[i].source]
        top = line(z[clean], [examples[known[n]].source for n in clean], ALLOWED[name])
        out['temperature'].append(1 / scale)
        out['bias'].append(math.log(BELIEVED / (1 - BELIEVED)) - top * scale)
        out['threshold'].append(BELIEVED)
    return out
