"""Writes the GGUF file of docs/reference/guard-model.md from a checkpoint, calibrated, matrices in Q8_0 (or F32).

python export.py --data DIR --words DIR --run DIR --file models/canary-guard.gguf [--type Q8_0]

Beside it goes FILE.sha256; --golden FILE writes texts with the logits of the same (dequantized) weights in PyTorch.
"""

import argparse
import hashlib
import json
import os

import gguf
import numpy as np
import torch
from calibrate import calibrate, sample
from gguf import GGMLQuantizationType, quants
from scoring import load, logits
from vocabulary import ROLE, Vocabulary
from wordnet import Words


def tensors(model):
    """(name, array, may be quantized) of every tensor of the contract."""
    yield 'token_embd.weight', model.embed.weight, True
    yield 'token_embd_norm.weight', model.embed_norm.weight, False
    for i, b in enumerate(model.blocks):
        if i:
            yield f'blk.{i}.attn_norm.weight', b.attn_norm.weight, False
        yield f'blk.{i}.attn_qkv.weight', b.qkv.weight, True
        yield f'blk.{i}.attn_output.weight', b.out.weight, True
        yield f'blk.{i}.ffn_norm.weight', b.ffn_norm.weight, False
        yield f'blk.{i}.ffn_up.weight', b.up.weight, True
        yield f'blk.{i}.ffn_down.weight', b.down.weight, True
    yield 'output_norm.weight', model.norm.weight, False
    yield 'cls.dense.weight', model.dense.weight, True
    yield 'cls.norm.weight', model.head_norm.weight, False
    yield 'cls.output.weight', model.output.weight, False


def write(model, vocabulary, calibration, path, kind):
    s = model.shape
    w = gguf.GGUFWriter(path, 'canary-guard')
    p = 'canary-guard.'
    for key, value in (
        ('version', 1),
        ('context_length', s.context),
        ('embedding_length', s.width),
        ('block_count', s.layers),
        ('feed_forward_length', s.feed_forward),
        ('attention.head_count', s.heads),
        ('attention.sliding_window', s.window),
        ('attention.global_every', s.global_every),
        ('cls_token_id', 0),
        ('sep_token_id', 1),
        ('role.instruction_token_id', ROLE['instruction']),
        ('role.call_token_id', ROLE['call']),
        ('role.result_token_id', ROLE['result']),
    ):
        w.add_uint32(p + key, value)
    w.add_float32(p + 'attention.layer_norm_epsilon', s.epsilon)
    w.add_float32(p + 'rope.freq_base', s.base)
    w.add_float32(p + 'rope.freq_base_local', s.base_local)
    w.add_string(p + 'pooling', s.pooling)
    w.add_array(p + 'labels', list(s.labels))
    for name in ('temperature', 'bias'):
        w.add_array(f'{p}calibration.{name}', [float(v) for v in calibration[name]])
    w.add_array(p + 'threshold', [float(v) for v in calibration['threshold']])
    w.add_tokenizer_model('gpt2')
    w.add_tokenizer_pre('gpt-2')
    tokens, types, merges = vocabulary.for_gguf()
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges(merges)
    for name, tensor, quantizable in tensors(model):
        data = tensor.detach().numpy().astype(np.float32)
        if quantizable and kind != GGMLQuantizationType.F32:
            packed = quants.quantize(data, kind)
            w.add_tensor(name, packed, raw_dtype=kind)
            with torch.no_grad():  # from here on the model is what the file says
                tensor.copy_(torch.from_numpy(quants.dequantize(packed, kind).reshape(data.shape)))
        else:
            w.add_tensor(name, data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('--data', required=True)
    a.add_argument('--words', required=True)
    a.add_argument('--run', required=True)
    a.add_argument('--file', required=True)
    a.add_argument('--golden')
    a.add_argument('--checkpoint', default='checkpoint.pt')
    a.add_argument('--line', type=float, help='logit of an injection from which the detector believes it')
    a.add_argument('--type', default='Q8_0', choices=['Q8_0', 'F32', 'F16', 'Q4_0'])
    o = a.parse_args()
    model, step = load(os.path.join(o.run, o.checkpoint))
    vocabulary = Vocabulary.load(os.path.join(o.run, 'tokenizer.json'))
    calibration = calibrate(model, vocabulary, sample(o.data, Words(o.words), o.line is not None), o.line)
    write(model, vocabulary, calibration, o.file, GGMLQuantizationType[o.type])
    with open(o.file, 'rb') as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    with open(o.file + '.sha256', 'w') as f:
        f.write(f'{digest}  {os.path.basename(o.file)}\n')
    print(f'{o.file}: step {step}, {os.path.getsize(o.file) / 1e6:.1f} MB, sha256 {digest}, {calibration}')
    if o.golden:
        write_golden(model, vocabulary, o.golden)


def write_golden(model, vocabulary, path):
    """The cases of a golden file with the logits of this model: its texts are kept, they are written by hand."""
    with open(path) as f:
        cases = json.load(f)['cases']
    for case in cases:
        row = logits(model, vocabulary, [[(s['role'], s['text']) for s in case['segments']]])[0]
        case['logits'] = [float(f'{x:.5g}') for x in row]
    with open(path, 'w') as f:
        json.dump({'cases': cases}, f, indent=1, ensure_ascii=False)
        f.write('\n')


if __name__ == '__main__':
    main()
