"""canary-guard in PyTorch, as docs/reference/guard-model.md ("Computation") says: an encoder in the style of ModernBERT
(Warner et al., 2024), pre-norm, rotary positions, GeGLU, local and global attention, no bias."""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocabulary: int = 8192
    context: int = 192
    width: int = 160
    layers: int = 4
    feed_forward: int = 320
    heads: int = 4
    window: int = 64
    global_every: int = 1
    epsilon: float = 1e-5
    base: float = 10000.0
    base_local: float = 10000.0
    pooling: str = 'max'
    labels: tuple = ('injection', 'malicious_call')

    def as_dict(self):
        return asdict(self)


def rotary(length, head, base, device, kind):
    angles = torch.arange(length, device=device)[:, None] * base ** (-torch.arange(0, head, 2, device=device) / head)
    return angles.cos().to(kind), angles.sin().to(kind)


def turn(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Norm(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(s.width)), s.epsilon

    def forward(self, x):
        return F.layer_norm(x, (x.shape[-1],), self.weight, None, self.epsilon)


class Block(nn.Module):
    def __init__(self, s, layer):
        super().__init__()
        self.heads, self.is_global = s.heads, layer % s.global_every == 0
        self.attn_norm = Norm(s) if layer else nn.Identity()
        self.qkv = nn.Linear(s.width, 3 * s.width, bias=False)
        self.out = nn.Linear(s.width, s.width, bias=False)
        self.ffn_norm = Norm(s)
        self.up = nn.Linear(s.width, 2 * s.feed_forward, bias=False)
        self.down = nn.Linear(s.feed_forward, s.width, bias=False)

    def forward(self, x, tables, masks):
        b, t, d = x.shape
        kind = 0 if self.is_global else 1
        # Written out: in bfloat16 on a CPU the fused kernel takes four times as long.
        qk, v = self.qkv(self.attn_norm(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).split([2, 1])
        q, k = turn(qk, *tables[kind])
        near = (q * (d // self.heads) ** -0.5) @ k.transpose(-1, -2) + masks[kind]
        a = near.softmax(-1) @ v[0].contiguous()
        x = x + self.out(a.transpose(1, 2).reshape(b, t, d))
        u, g = self.up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.down(F.gelu(u) * g)


class CanaryGuard(nn.Module):
    def __init__(self, shape):
        super().__init__()
        s = self.shape = shape
        self.embed = nn.Embedding(s.vocabulary, s.width)
        self.embed_norm = Norm(s)
        self.blocks = nn.ModuleList(Block(s, i) for i in range(s.layers))
        self.norm = Norm(s)
        self.dense = nn.Linear(s.width, s.width, bias=False)
        self.head_norm = Norm(s)
        self.output = nn.Linear(s.width, len(s.labels), bias=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = 0.5 if name.endswith(('out.weight', 'down.weight')) else 1
                nn.init.normal_(p, std=0.02 if 'embed' in name else p.shape[1] ** -0.5 * scale)

    def spots(self, ids, real):
        """Logits of every token (B, T, labels). ids (B, T), real (B, T) bool: false where padded."""
        s, t, kind = self.shape, ids.shape[1], self.embed.weight.dtype
        seen = torch.zeros(real.shape, dtype=kind, device=ids.device).masked_fill(~real, -1e9)[:, None, None, :]
        masks = [seen, seen]
        if s.global_every > 1:
            place = torch.arange(t, device=ids.device)
            far = (place[:, None] - place[None]).abs() > s.window // 2
            masks[1] = seen + torch.zeros(t, t, dtype=kind, device=ids.device).masked_fill(far, -1e9)
        tables = [rotary(t, s.width // s.heads, b, ids.device, kind) for b in (s.base, s.base_local)]
        x = self.embed_norm(self.embed(ids))
        for block in self.blocks:
            x = block(x, tables, masks)
        return self.output(self.head_norm(F.gelu(self.dense(self.norm(x))))).float()

    def forward(self, ids, real, first):
        """Logits (B, labels): the highest of the last segment's tokens, its role and its [sep] among them; and all."""
        spots = self.spots(ids, real)
        place = torch.arange(ids.shape[1], device=ids.device)[None]
        judged = real & (place >= first[:, None])
        return spots.masked_fill(~judged[..., None], -1e9).amax(1), spots
