"""Makes the golden files of every architecture in every quantization that make-golden.py leaves out: one layer each,
as small as blocks of 256 allow. The oracle is PyTorch in float32 on the weights as the file gives them, so what is
left is the engine's own error: int8 activations, and nothing where weights are floats.

    python3 native/test/golden/make-quantized.py
"""
import torch
from gguf import GGMLQuantizationType as Q

from golden_decoder import decoder, llama, qwen2, qwen3
from golden_encoder import canary, deberta

FLOAT, INTEGER = 1e-5, 0.05
SMALL = dict(layers=1)
DECODER_K = dict(width=256, ff=256, heads=4, kv=1, head=64, layers=1, tied=True)
CANARY_K = dict(width=256, ff=256, layers=1)

decoder('llama-bf16', 'llama', llama, Q.BF16, share=FLOAT, **SMALL)
decoder('llama-q8_0', 'llama', llama, Q.Q8_0, share=INTEGER, **SMALL)
for arch, make, missing in (('qwen2', qwen2, (Q.F32, Q.F16, Q.Q8_0, Q.Q4_0)), ('qwen3', qwen3, (Q.F16, Q.BF16, Q.Q4_0))):
    for qtype in missing:
        decoder(f'{arch}-{qtype.name.lower()}', arch, make, qtype, share=INTEGER if qtype in (Q.Q8_0, Q.Q4_0) else FLOAT, **SMALL)
    for qtype in (Q.Q4_K, Q.Q6_K):
        decoder(f'{arch}-{qtype.name.lower()}', arch, make, qtype, share=INTEGER, **DECODER_K)
for qtype in (Q.F16, Q.BF16, Q.Q4_0):
    canary(f'canary-{qtype.name.lower()}', qtype, share=INTEGER if qtype == Q.Q4_0 else FLOAT, **SMALL)
for qtype in (Q.Q4_K, Q.Q6_K):
    canary(f'canary-{qtype.name.lower()}', qtype, share=INTEGER, **CANARY_K)
for dtype, name in ((torch.float16, 'f16'), (torch.bfloat16, 'bf16')):
    deberta(f'deberta-v3-{name}', 16, 'layer_norm', dtype, width=64, heads=2, ff=96)
