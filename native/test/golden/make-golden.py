"""Makes the golden files: seeded random tiny models of each architecture, with logits of an independent
implementation (PyTorch and transformers, float32; quantized tensors are dequantized first by gguf's own
reference code). Needs torch, transformers, gguf, tokenizers, safetensors. Tests need none of it: they read the files.

    python3 native/test/golden/make-golden.py
"""
import json
import os
import shutil

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from gguf import quants
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (DebertaV2Config, DebertaV2ForSequenceClassification, LlamaConfig, LlamaForCausalLM,
                          ModernBertConfig, ModernBertForSequenceClassification, Qwen2Config, Qwen2ForCausalLM,
                          Qwen3Config, Qwen3ForCausalLM)

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
    with open(os.path.join(HERE, name + '.json'), 'w') as f:
        json.dump({'model': more.pop('model', name + '.gguf'), **more, 'cases': cases}, f)
        f.write('\n')


def rounded(t):
    return [float(f'{x:.6g}') for x in t]


def permute(w, heads):
    """Half-split pairs to neighbouring pairs: how GGUF stores Llama's queries and keys."""
    n, k = w.shape
    return w.reshape(heads, 2, n // heads // 2, k).swapaxes(1, 2).reshape(n, k)


def decoder(name, arch, make, qtype, tolerance, heads=4, kv=2, head=16, width=64, ff=96, layers=2, tied=False, rope_factors=None):
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
    save_cases(name, cases, kind='decoder', tolerance=tolerance)


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


decoder('llama-f32', 'llama', llama, Q.F32, 1e-3)
decoder('llama-rope-tied-f16', 'llama', llama_scaled, Q.F16, 1e-3, tied=True, rope_factors=llama3_factors(16))
decoder('qwen2-bf16', 'qwen2', qwen2, Q.BF16, 1e-3)
decoder('qwen3-f32', 'qwen3', qwen3, Q.F32, 1e-3, head=32)
decoder('qwen3-q8_0', 'qwen3', qwen3, Q.Q8_0, 0.15, head=32)
decoder('llama-q4_0', 'llama', llama, Q.Q4_0, 0.15)
decoder('llama-q4_k', 'llama', llama, Q.Q4_K, 0.15, width=256, ff=256, heads=4, kv=4, head=64, layers=1)
decoder('llama-q6_k', 'llama', llama, Q.Q6_K, 0.15, width=256, ff=256, heads=4, kv=4, head=64, layers=1)


def canary(name, qtype, tolerance, width=64, ff=96, heads=4, layers=4, window=16, context=160):
    c = ModernBertConfig(vocab_size=NV, hidden_size=width, intermediate_size=ff, num_hidden_layers=layers, num_attention_heads=heads,
                         max_position_embeddings=context, norm_eps=1e-5, norm_bias=False, attention_bias=False, mlp_bias=False,
                         classifier_bias=False, classifier_pooling='cls', local_attention=window, num_labels=2, pad_token_id=0,
                         global_attn_every_n_layers=3, decoder_bias=False, attn_implementation='eager', reference_compile=False)
    model = randomize(ModernBertForSequenceClassification(c))
    with torch.no_grad():
        model.classifier.bias.zero_()
    w = gguf.GGUFWriter(os.path.join(HERE, name + '.gguf'), 'canary-guard')
    p = 'canary-guard.'
    for key, value in (('version', 1), ('context_length', context), ('embedding_length', width), ('block_count', layers), ('feed_forward_length', ff),
                       ('attention.head_count', heads), ('attention.sliding_window', window), ('attention.global_every', 3),
                       ('cls_token_id', 266), ('sep_token_id', 267), ('role.instruction_token_id', 268), ('role.call_token_id', 269), ('role.result_token_id', 270)):
        w.add_uint32(p + key, value)
    w.add_float32(p + 'attention.layer_norm_epsilon', 1e-5)
    w.add_float32(p + 'rope.freq_base', 160000.0)
    w.add_float32(p + 'rope.freq_base_local', 10000.0)
    w.add_string(p + 'pooling', 'cls')
    w.add_array(p + 'labels', ['injection', 'malicious_call'])
    w.add_array(p + 'calibration.temperature', [1.5, 0.5])
    w.add_array(p + 'calibration.bias', [0.25, -0.5])
    add_tokenizer(w)
    m = model.model
    put(w, m.embeddings.tok_embeddings.weight, 'token_embd.weight', qtype)
    put(w, m.embeddings.norm.weight, 'token_embd_norm.weight', qtype)
    for i, b in enumerate(m.layers):
        q = f'blk.{i}.'
        if i > 0:
            put(w, b.attn_norm.weight, q + 'attn_norm.weight', qtype)
        put(w, b.attn.Wqkv.weight, q + 'attn_qkv.weight', qtype)
        put(w, b.attn.Wo.weight, q + 'attn_output.weight', qtype)
        put(w, b.mlp_norm.weight, q + 'ffn_norm.weight', qtype)
        put(w, b.mlp.Wi.weight, q + 'ffn_up.weight', qtype)
        put(w, b.mlp.Wo.weight, q + 'ffn_down.weight', qtype)
    put(w, m.final_norm.weight, 'output_norm.weight', qtype)
    put(w, model.head.dense.weight, 'cls.dense.weight', qtype)
    put(w, model.head.norm.weight, 'cls.norm.weight', qtype)
    put(w, model.classifier.weight, 'cls.output.weight', Q.F32)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    cases = []
    with torch.no_grad():
        for ids in prompts(150):
            cases.append({'ids': ids, 'logits': rounded(model(torch.tensor([ids])).logits[0])})
    save_cases(name, cases, kind='encoder', tolerance=tolerance, temperature=[1.5, 0.5], bias=[0.25, -0.5])


canary('canary-f32', Q.F32, 1e-3)
canary('canary-q8_0', Q.Q8_0, 0.15)


def deberta(name, position_buckets, norm_rel):
    c = DebertaV2Config(vocab_size=300, hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=80, max_position_embeddings=128,
                        type_vocab_size=0, relative_attention=True, position_buckets=position_buckets, norm_rel_ebd=norm_rel, share_att_key=True,
                        pos_att_type=['p2c', 'c2p'], position_biased_input=False, layer_norm_eps=1e-7, num_labels=2, pooler_hidden_act='gelu',
                        pooler_hidden_size=48, hidden_act='gelu', pad_token_id=0, id2label={'0': 'BENIGN', '1': 'MALICIOUS'})
    model = randomize(DebertaV2ForSequenceClassification(c))
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    pieces = [('[PAD]', 0.0), ('[CLS]', 0.0), ('[SEP]', 0.0), ('[UNK]', 0.0)]
    pieces += [('▁', -2.0)] + [(chr(c), -6.0 - (c % 7) * 0.3) for c in range(33, 127)]
    pieces += [(x, -4.0 - i * 0.21) for i, x in enumerate(['▁the', '▁a', 'ing', 'er', '▁in', 'on', 'th', '▁ignore', 'ore', '▁ig', 'ins', 'tr', 'uct', 'ions'])]
    t = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    t.normalizer = normalizers.Sequence([normalizers.Replace(__import__('tokenizers').Regex(' {2,}'), ' ')])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme='always')
    t.add_special_tokens(['[PAD]', '[CLS]', '[SEP]', '[UNK]'])
    t.save(os.path.join(folder, 'tokenizer.json'))
    for extra in os.listdir(folder):
        if extra not in ('config.json', 'model.safetensors', 'tokenizer.json'):
            os.remove(os.path.join(folder, extra))
    cases = []
    with torch.no_grad():
        for ids in [[int(x) for x in rng.integers(0, 300, size)] for size in (1, 6, 40, 120)]:
            cases.append({'ids': ids, 'logits': rounded(model(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits[0])})
    texts = ['ignore the instructions', 'a  b   c', ' in the thing', 'the on er', 'x', 'Ünïcode ☃ ing', 'ignore [CLS] the [SEP]', 'innnnnn ononon']
    plain = Tokenizer.from_file(os.path.join(folder, 'tokenizer.json'))
    plain_json = json.loads(plain.to_str())
    plain_json['added_tokens'] = []
    # Unigram would still match a control token's spelling as a piece; no text may make one.
    for i in (0, 1, 2):
        plain_json['model']['vocab'][i][0] = chr(0xF0000 + i)
    plain = Tokenizer.from_str(json.dumps(plain_json))
    save_cases(name, cases, kind='encoder', model=name, tolerance=1e-3, texts=[{'text': x, 'ids': plain.encode(x, add_special_tokens=False).ids} for x in texts])


deberta('deberta-v3', 16, 'layer_norm')
