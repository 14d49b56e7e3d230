"""canary-guard (ModernBERT) as GGUF and DeBERTa-v3 as safetensors, with PyTorch's logits."""
import json
import os
import shutil

import gguf
import torch
from gguf import GGMLQuantizationType as Q
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (DebertaV2Config, DebertaV2ForSequenceClassification, ModernBertConfig,
                          ModernBertForSequenceClassification)

from golden_common import HERE, NV, add_tokenizer, put, prompts, randomize, rng, rounded, save_cases


def in_segments(n):
    """An instruction and a result: `max` reads the result alone."""
    words = [int(x) for x in rng.integers(0, 266, n)]
    return [266, 268, *words[: n // 3], 267, 270, *words[n // 3 :], 267]


def pooled(model, ids, pooling):
    """`max` is no pooling of ModernBERT's: its head on every token from the last role on, and the highest of each label."""
    if pooling != 'max':
        return model(torch.tensor([ids])).logits[0]
    first = max((i for i, token in enumerate(ids) if token in (268, 269, 270)), default=0)
    hidden = model.model(torch.tensor([ids])).last_hidden_state[0, first:]
    return model.classifier(model.head(hidden)).amax(0)


def canary(name, qtype, tolerance=None, share=None, width=64, ff=96, heads=4, layers=4, window=16, context=160, pooling='cls'):
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
    w.add_string(p + 'pooling', pooling)
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
        for ids in prompts(150) if pooling == 'cls' else [*prompts(40), in_segments(30), in_segments(140)]:
            cases.append({'ids': ids, 'logits': rounded(pooled(model, ids, pooling))})
    save_cases(name, cases, kind='encoder', temperature=[1.5, 0.5], bias=[0.25, -0.5], **({'share': share} if tolerance is None else {'tolerance': tolerance}))


def deberta(name, position_buckets, norm_rel, dtype=torch.float32, width=48, heads=3, ff=80):
    c = DebertaV2Config(vocab_size=300, hidden_size=width, num_hidden_layers=2, num_attention_heads=heads, intermediate_size=ff, max_position_embeddings=128,
                        type_vocab_size=0, relative_attention=True, position_buckets=position_buckets, norm_rel_ebd=norm_rel, share_att_key=True,
                        pos_att_type=['p2c', 'c2p'], position_biased_input=False, layer_norm_eps=1e-7, num_labels=2, pooler_hidden_act='gelu',
                        pooler_hidden_size=width, hidden_act='gelu', pad_token_id=0, id2label={'0': 'BENIGN', '1': 'MALICIOUS'})
    model = randomize(DebertaV2ForSequenceClassification(c))
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    # What the file says is what the oracle computes with.
    model.to(dtype).save_pretrained(folder)
    model.float()
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
    save_cases(name, cases, kind='encoder', model=name, tolerance=4e-5, texts=[{'text': x, 'ids': plain.encode(x, add_special_tokens=False).ids} for x in texts])
