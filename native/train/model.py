"""canary-guard in PyTorch, as docs/reference/guard-model.md ("Computation") says: an encoder in the style of ModernBERT
(Warner et al., 2024), pre-norm, rotary positions, GeGLU, local and global attention, no bias."""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocabulary: int = 8192
    context: int = 256
    width: int = 192
    layers: int = 6
    feed_forward: int = 288
    heads: int = 3
    window: int = 64
    global_every: int = 3
    epsilon: float = 1e-5
    base: float = 160000.0
    base_local: float = 10000.0
    pooling: str = 'mean'
    labels: tuple = ('injection', 'malicious_call')

    def as_dict(self):
        return asdict(self)


def rotary(length, head, base, device):
    angles = torch.arange(length, device=device)[:, None] * base ** (-torch.arange(0, head, 2, device=device) / head)
    return torch.cat([angles, angles], -1).cos(), torch.cat([angles, angles], -1).sin()


def turn(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Block(nn.Module):
    def __init__(self, s, layer):
        super().__init__()
        self.heads, self.is_global = s.heads, layer % s.global_every == 0
        self.attn_norm = nn.LayerNorm(s.width, s.epsilon, bias=False) if layer else nn.Identity()
        self.qkv = nn.Linear(s.width, 3 * s.width, bias=False)
        self.out = nn.Linear(s.width, s.width, bias=False)
        self.ffn_norm = nn.LayerNorm(s.width, s.epsilon, bias=False)
        self.up = nn.Linear(s.width, 2 * s.feed_forward, bias=False)
        self.down = nn.Linear(s.feed_forward, s.width, bias=False)

    def forward(self, x, tables, masks, dropout):
        b, t, d = x.shape
        kind = 0 if self.is_global else 1
        q, k, v = self.qkv(self.attn_norm(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        cos, sin = tables[kind]
        q, k = turn(q, cos, sin).to(v.dtype), turn(k, cos, sin).to(v.dtype)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=masks[kind])
        x = x + F.dropout(self.out(a.transpose(1, 2).reshape(b, t, d)), dropout, self.training)
        u, g = self.up(self.ffn_norm(x)).chunk(2, -1)
        return x + F.dropout(self.down(F.gelu(u) * g), dropout, self.training)


class CanaryGuard(nn.Module):
    def __init__(self, shape, dropout=0.1):
        super().__init__()
        s = self.shape = shape
        self.dropout = dropout
        self.embed = nn.Embedding(s.vocabulary, s.width)
        self.embed_norm = nn.LayerNorm(s.width, s.epsilon, bias=False)
        self.blocks = nn.ModuleList(Block(s, i) for i in range(s.layers))
        self.norm = nn.LayerNorm(s.width, s.epsilon, bias=False)
        self.dense = nn.Linear(s.width, s.width, bias=False)
        self.head_norm = nn.LayerNorm(s.width, s.epsilon, bias=False)
        self.output = nn.Linear(s.width, len(s.labels), bias=False)
        self.token = nn.Linear(s.width, 1)  # tells where the injection stands; a help in training, not exported
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.normal_(
                    p,
                    std=0.02
                    if 'embed' in name
                    else p.shape[1] ** -0.5 * (0.5 if name.endswith(('out.weight', 'down.weight')) else 1),
                )

    def forward(self, ids, real):
        """ids (B, T), real (B, T) bool: false where padded. Answers logits (B, labels) and token logits (B, T)."""
        s, t = self.shape, ids.shape[1]
        place = torch.arange(t, device=ids.device)
        near = (place[:, None] - place[None]).abs() <= s.window // 2
        seen = real[:, None, None, :]
        masks = (seen, seen & near | torch.eye(t, dtype=torch.bool, device=ids.device))
        tables = [rotary(t, s.width // s.heads, b, ids.device) for b in (s.base, s.base_local)]
        x = F.dropout(self.embed_norm(self.embed(ids)), self.dropout, self.training)
        for block in self.blocks:
            x = block(x, tables, masks, self.dropout)
        y = self.norm(x)
        p = y[:, 0] if s.pooling == 'cls' else (y * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return self.output(self.head_norm(F.gelu(self.dense(p)))).float(), self.token(y)[..., 0].float()
