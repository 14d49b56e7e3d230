"""Fits temperature and bias of each label on examples that training did not see (Platt, 1999), and picks thresholds.

The generators' share is made with a seed of its own; the data's share is what was held out. Thresholds: the smallest
probability that at most 0.5 % of the clean examples reach.
"""

import corpus
import torch
from scoring import logits
from torch.nn import functional as F


def sample(data, seed=99):
    _, held = corpus.load(data)
    return held + corpus.generated(seed, 6000, 4000)


def fit(scores, labels):
    """(temperature, bias) so that sigmoid(z / temperature + bias) is the share of positives; classes weigh the same."""
    scale, bias = torch.ones(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    weight = torch.where(labels > 0, 0.5 / labels.mean().clamp(1e-3, 1), 0.5 / (1 - labels).mean().clamp(1e-3, 1))
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(scores * scale.clamp_min(0.02) + bias, labels, weight=weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    return 1 / max(0.02, scale.item()), bias.item()


def calibrate(model, vocabulary, data):
    """{'temperature': [...], 'bias': [...], 'threshold': [...]}, one value a label."""
    examples = sample(data)
    scores = logits(model, vocabulary, [e.segments for e in examples])
    out = {'temperature': [], 'bias': [], 'threshold': []}
    for j, name in enumerate(('injection', 'malicious')):
        known = [i for i, e in enumerate(examples) if getattr(e, name) is not None]
        z = scores[known, j]
        y = torch.tensor([float(getattr(examples[i], name)) for i in known])
        temperature, bias = fit(z, y)
        p = torch.sigmoid(z / temperature + bias)
        clean = p[y == 0].sort().values
        out['temperature'].append(temperature)
        out['bias'].append(bias)
        out['threshold'].append(clean[int(0.995 * (len(clean) - 1))].item())
    return out
