"""Scores requests with a checkpoint in the way the engine does: highest of the windows, for each label."""

import torch
from model import CanaryGuard, Shape
from windows import windows


def load(path, device='cpu'):
    state = torch.load(path, map_location=device, weights_only=True)
    shape = Shape(**{**state['shape'], 'labels': tuple(state['shape']['labels'])})
    model = CanaryGuard(shape).to(device)
    model.load_state_dict(state['model'])
    return model.eval(), state['step']


@torch.no_grad()
def logits(model, vocabulary, requests, tokens=16384):
    """[[logit of each label]] of requests (lists of (role, text)); the highest over each request's windows."""
    device = next(model.parameters()).device
    rows = [
        (i, ids, first - 1)
        for i, segments in enumerate(requests)
        for ids, first, _ in windows(vocabulary, segments, model.shape.context)
    ]
    best = torch.full((len(requests), len(model.shape.labels)), -1e9)
    rows.sort(key=lambda row: len(row[1]))
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and len(rows[end][1]) * (end + 1 - start) <= tokens:
            end += 1
        part = rows[start:end]
        length = len(part[-1][1])
        ids = torch.tensor([r + [1] * (length - len(r)) for _, r, _ in part], device=device)
        real = torch.tensor([[True] * len(r) + [False] * (length - len(r)) for _, r, _ in part], device=device)
        first = torch.tensor([f for _, _, f in part], device=device)
        for (i, _, _), row in zip(part, model(ids, real, first)[0].cpu()):
            best[i] = torch.maximum(best[i], row)
        start = end
    return best
