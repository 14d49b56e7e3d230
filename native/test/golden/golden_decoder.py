"""Llama, Qwen2.5 and Qwen3: GGUF files and PyTorch's logits."""
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from golden_common import HERE, NV, add_tokenizer, permute, prompts, put, randomize, rounded, save_cases


def decoder(name, arch, make, qtype, tolerance=None, share=None, heads=4, kv=2, head=16, width=64, ff=96, layers=2, tied=False, rope_factors=None):
    model = randomize(make(width, ff, layers, heads, kv, head, tied))
    w = gguf.GGUFWriter(os.path.join(HERE, name + '.gguf'), arch)
    w.add_context_length(128)
    w.add_embedding_length(width)
    w.add_block_count(layers)
    w.add_feed_forward_length(ff)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_key_length(head)
    w.add_value_length(head)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_freq_base(10000.0)
    w.add_rope_dimension_count(head)
    add_tokenizer(w)
    m = model.model
    put(w, m.embed_tokens.weight, 'token_embd.weight', qtype)
    put(w, m.norm.weight, 'output_norm.weight', qtype)
    if not tied:
        put(w, model.lm_head.weight, 'output.weight', qtype)
    if rope_factors is not None:
        w.add_tensor('rope_freqs.weight', rope_factors)
    for i, b in enumerate(m.layers):
        p = f'blk.{i}.'
        a = b.self_attn
        put(w, b.input_layernorm.weight, p + 'attn_norm.weight', qtype)
        put(w, b.post_attention_layernorm.weight, p + 'ffn_norm.weight', qtype)
        for part, n_heads in (('q', heads), ('k', kv)):
            weight = getattr(a, part + '_proj').weight
            if arch == 'llama':
                # Quantized in the file's row order, then put back in the model's: a round trip of rows.
                stored = torch.from_numpy(np.ascontiguousarray(permute(weight.detach().numpy(), n_heads)))
                put(w, stored, p + f'attn_{part}.weight', qtype)
                n, k = stored.shape
                back = stored.numpy().reshape(n_heads, n // n_heads // 2, 2, k).swapaxes(1, 2).reshape(n, k)
                with torch.no_grad():
                    weight.copy_(torch.from_numpy(np.ascontiguousarray(back)))
            else:
                put(w, weight, p + f'attn_{part}.weight', qtype)
        put(w, a.v_proj.weight, p + 'attn_v.weight', qtype)
        put(w, a.o_proj.weight, p + 'attn_output.weight', qtype)
        if arch == 'qwen2':
            for part in 'qkv':
                put(w, getattr(a, part + '_proj').bias, p + f'attn_{part}.bias', Q.F32)
        if arch == 'qwen3':
            put(w, a.q_norm.weight, p + 'attn_q_norm.weight', Q.F32)
            put(w, a.k_norm.weight, p + 'attn_k_norm.weight', Q.F32)
        put(w, b.mlp.gate_proj.weight, p + 'ffn_gate.weight', qtype)
        put(w, b.mlp.up_proj.weight, p + 'ffn_up.weight', qtype)
        put(w, b.mlp.down_proj.weight, p + 'ffn_down.weight', qtype)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    cases = []
    with torch.no_grad():
        for ids in prompts(100):
            cases.append({'ids': ids, 'logits': rounded(model(torch.tensor([ids])).logits[0, -1, :64])})
    save_cases(name, cases, kind='decoder', **({'share': share} if tolerance is None else {'tolerance': tolerance}))


def common(w, f, n, h, kv, head, tied):
    return dict(vocab_size=NV, hidden_size=w, intermediate_size=f, num_hidden_layers=n, num_attention_heads=h, num_key_value_heads=kv,
                head_dim=head, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=tied, attn_implementation='eager')


LLAMA3 = {'rope_type': 'llama3', 'rope_theta': 10000.0, 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, 'original_max_position_embeddings': 64}


def llama3_factors(head):
    wave = 2 * np.pi * 10000.0 ** (2 * np.arange(head // 2) / head)
    smooth = (64 / wave - 1) / 3
    return np.where(wave < 16, 1, np.where(wave > 64, 8, 1 / ((1 - smooth) / 8 + smooth))).astype(np.float32)


def llama(*a):
    return LlamaForCausalLM(LlamaConfig(**common(*a), rope_parameters={'rope_type': 'default', 'rope_theta': 10000.0}))


def llama_scaled(*a):
    return LlamaForCausalLM(LlamaConfig(**common(*a), rope_parameters=LLAMA3))


def qwen2(*a):
    return Qwen2ForCausalLM(Qwen2Config(**{k: v for k, v in common(*a).items() if k != 'head_dim'}))


def qwen3(*a):
    return Qwen3ForCausalLM(Qwen3Config(**common(*a)))
