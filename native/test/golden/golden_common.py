"""What the makers of golden files share: a tiny vocabulary, seeded weights, and tensors that are quantized on the way
to the file and put back into the model as the file then says."""
import json
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from gguf import quants

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads(1)
rng = np.random.default_rng(20261123)


def byte_alphabet():
    shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, n = {}, 0
    for b in range(256):
        if b in shown:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + n)
            n += 1
    return table


ALPHABET = byte_alphabet()
MERGES = ['t h', 'th e', 'i n', 'a n', 'e r', 'Ġ t', 'Ġ the', 'o n', 'r e', 'Ġ a']
WORDS = [ALPHABET[b] for b in range(256)] + [m.replace(' ', '') for m in MERGES]
SPECIAL = ['[CLS]', '[SEP]', '[INSTRUCTION]', '[CALL]', '[RESULT]', '[END]']
VOCAB = WORDS + SPECIAL  # 272
NV = len(VOCAB)


def add_tokenizer(w):
    w.add_tokenizer_model('gpt2')
    w.add_tokenizer_pre('qwen2')
    w.add_token_list(VOCAB)
    w.add_token_types([1] * len(WORDS) + [3] * len(SPECIAL))
    w.add_token_merges(MERGES)
    w.add_eos_token_id(NV - 1)


def randomize(model, scale=0.15):
    """Random enough that logits spread; norms near one, so that no layer is silent."""
    g = torch.Generator().manual_seed(7)
    for name, p in model.named_parameters():
        with torch.no_grad():
            if p.ndim == 1 and ('norm' in name.lower()) and name.endswith('weight'):
                p.copy_(1 + 0.2 * torch.randn(p.shape, generator=g))
            else:
                p.copy_(scale * torch.randn(p.shape, generator=g))
    return model.float().eval()


def put(w, model_tensor, name, qtype):
    """Writes a tensor, and puts what the file then says back into the model."""
    data = model_tensor.detach().numpy().astype(np.float32)
    if data.ndim == 1 or qtype == Q.F32:
        w.add_tensor(name, data)
        return
    if qtype == Q.Q4_K or qtype == Q.Q6_K:
        packed = quantize_k(data, qtype)
    else:
        packed = quants.quantize(data, qtype)
    w.add_tensor(name, packed, raw_dtype=qtype)
    back = quants.dequantize(packed, qtype).reshape(data.shape)
    with torch.no_grad():
        model_tensor.copy_(torch.from_numpy(np.ascontiguousarray(back)))


def quantize_k(data, qtype):
    """Valid K blocks with random scales and quants: what is tested is how they are read."""
    n, k = data.shape
    blocks = n * k // 256
    size = 144 if qtype == Q.Q4_K else 210
    raw = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
    d = np.abs(rng.normal(0, 1, blocks)).astype(np.float32)
    if qtype == Q.Q4_K:
        half = np.stack([d * 4e-4, d * 3e-3], 1).astype(np.float16)
        raw[:, 0:4] = half.view(np.uint8)
    else:
        raw[:, 208:210] = (d * 6e-5).astype(np.float16)[:, None].view(np.uint8)
    return raw.reshape(n, k // 256 * size)


def prompts(n):
    return [[int(x) for x in rng.integers(0, len(WORDS), size)] for size in (1, 5, 33, n)]


def save_cases(name, cases, **more):
    # Of integers: five hundredths of the largest logit. The weights are random, so activations are as rough as can be.
    if 'tolerance' not in more:
        more['tolerance'] = rounded([more.pop('share') * max(abs(x) for case in cases for x in case['logits'])])[0]
    with open(os.path.join(HERE, name + '.json'), 'w') as f:
        json.dump({'model': more.pop('model', name + '.gguf'), **more, 'cases': cases}, f)
        f.write('\n')


def rounded(t):
    return [float(f'{x:.6g}') for x in t]


def permute(w, heads):
    """Half-split pairs to neighbouring pairs: how GGUF stores Llama's queries and keys."""
    n, k = w.shape
    return w.reshape(heads, 2, n // heads // 2, k).swapaxes(1, 2).reshape(n, k)


