"""What PyTorch takes for the same work: a Llama of this shape with random bf16 weights, one pass over the new tokens."""
import statistics
import sys
import time

import torch
import torch.nn.functional as F

SHAPES = {"1b": (16, 2048, 8192, 32, 8, 64), "8b": (32, 4096, 14336, 32, 8, 128)}
layers, width, ff, heads, kv_heads, head = SHAPES[sys.argv[1]]


def matrix(n, k):
    return torch.randn(n, k, device="cuda", dtype=torch.bfloat16) * 0.02


blocks = [
    (matrix((heads + 2 * kv_heads) * head, width), matrix(width, heads * head), matrix(2 * ff, width), matrix(width, ff))
    for _ in range(layers)
]
one = torch.ones(width, device="cuda", dtype=torch.bfloat16)


@torch.no_grad()
def forward(x, turn):
    for qkv, o, up, down in blocks:
        h = F.linear(F.rms_norm(x, (width,), one), qkv)
        q, k, v = h.split([heads * head, kv_heads * head, kv_heads * head], -1)
        q, k, v = (t.view(1, x.shape[1], -1, head).transpose(1, 2) for t in (q, k, v))
        q, k = (torch.view_as_real(torch.view_as_complex(t.float().reshape(*t.shape[:-1], -1, 2)) * turn).flatten(3).to(t.dtype) for t in (q, k))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + F.linear(a.transpose(1, 2).reshape(1, x.shape[1], -1), o)
        gate, value = F.linear(F.rms_norm(x, (width,), one), up).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * value, down)
    return x[:, -1]


print(f"\nPyTorch {torch.__version__}, bf16, one scoring at a time:\n\n| new tokens | p50 |\n|---|---|")
for tokens in (100, 300):
    x = torch.randn(1, tokens, width, device="cuda", dtype=torch.bfloat16)
    turn = torch.polar(torch.ones(tokens, head // 2, device="cuda"), torch.rand(tokens, head // 2, device="cuda"))
    times = []
    for i in range(25):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        forward(x, turn)
        torch.cuda.synchronize()
        if i >= 5:
            times.append(time.perf_counter() - begun)
    print(f"| {tokens} | {statistics.median(times) * 1000:.2f} ms |")
