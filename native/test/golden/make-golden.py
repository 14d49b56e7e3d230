"""Makes the golden files: seeded random tiny models of each architecture, with logits of an independent
implementation (PyTorch and transformers, float32; quantized tensors are dequantized first by gguf's own
reference code). Needs torch, transformers, gguf, tokenizers, safetensors. Tests need none of it: they read the files.

    python3 native/test/golden/make-golden.py
"""
from gguf import GGMLQuantizationType as Q

from golden_decoder import decoder, llama, llama3_factors, llama_scaled, qwen2, qwen3
from golden_encoder import canary, deberta

decoder('llama-f32', 'llama', llama, Q.F32, 4e-5)
decoder('llama-rope-tied-f16', 'llama', llama_scaled, Q.F16, 4e-5, tied=True, rope_factors=llama3_factors(16))
decoder('qwen2-bf16', 'qwen2', qwen2, Q.BF16, 4e-5)
decoder('qwen3-f32', 'qwen3', qwen3, Q.F32, 4e-5, head=32)
decoder('qwen3-q8_0', 'qwen3', qwen3, Q.Q8_0, 0.15, head=32)
decoder('llama-q4_0', 'llama', llama, Q.Q4_0, 0.15)
decoder('llama-q4_k', 'llama', llama, Q.Q4_K, 0.15, width=256, ff=256, heads=4, kv=4, head=64, layers=1)
decoder('llama-q6_k', 'llama', llama, Q.Q6_K, 0.15, width=256, ff=256, heads=4, kv=4, head=64, layers=1)

canary('canary-f32', Q.F32, 4e-5)
canary('canary-q8_0', Q.Q8_0, 0.15)

deberta('deberta-v3', 16, 'layer_norm')
canary('canary-max-q8_0', Q.Q8_0, 0.15, pooling='max')
