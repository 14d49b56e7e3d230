import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** DeBERTa-v3-xsmall, the shape of Prompt Guard 2 22M. */
export const SHAPE = {
  layers: 12,
  width: 384,
  heads: 6,
  feedForward: 1536,
  vocabulary: 128_100,
  buckets: 256,
  positions: 512,
};

/** Writes a folder with config.json, tokenizer.json and model.safetensors of random weights; once. */
export function makeEncoder(folder: string): void {
  if (existsSync(folder)) return;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft);
  writeFileSync(join(draft, 'config.json'), JSON.stringify(config()));
  writeFileSync(join(draft, 'tokenizer.json'), JSON.stringify(tokenizer()));
  writeWeights(join(draft, 'model.safetensors'));
  renameSync(draft, folder);
}

function config(): object {
  return {
    architectures: ['DebertaV2ForSequenceClassification'],
    model_type: 'deberta-v2',
    hidden_size: SHAPE.width,
    intermediate_size: SHAPE.feedForward,
    num_attention_heads: SHAPE.heads,
    num_hidden_layers: SHAPE.layers,
    vocab_size: SHAPE.vocabulary,
    max_position_embeddings: SHAPE.positions,
    max_relative_positions: -1,
    position_buckets: SHAPE.buckets,
    relative_attention: true,
    share_att_key: true,
    pos_att_type: ['p2c', 'c2p'],
    norm_rel_ebd: 'layer_norm',
    position_biased_input: false,
    type_vocab_size: 0,
    layer_norm_eps: 1e-7,
    hidden_act: 'gelu',
    pad_token_id: 0,
    pooler_hidden_act: 'gelu',
    pooler_hidden_size: SHAPE.width,
    id2label: { 0: 'BENIGN', 1: 'MALICIOUS' },
  };
}

function tokenizer(): object {
  const special = ['[PAD]', '[CLS]', '[SEP]', '[UNK]'];
  const words = Array.from({ length: SHAPE.vocabulary - special.length }, (_, at) => [`w${at}`, -10]);
  return {
    version: '1.0',
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
    post_processor: null,
    decoder: null,
    model: {
      type: 'Unigram',
      unk_id: 3,
      vocab: [...special.map((word) => [word, 0]), ...words],
      byte_fallback: false,
    },
  };
}

function writeWeights(file: string): void {
  const { width: d, feedForward: f } = SHAPE;
  const layer = (at: number): [string, number[]][] => {
    const p = `deberta.encoder.layer.${at}`;
    const dense = (name: string, n: number, k: number): [string, number[]][] => [
      [`${p}.${name}.weight`, [n, k]],
      [`${p}.${name}.bias`, [n]],
    ];
    const norm = (name: string): [string, number[]][] => [
      [`${p}.${name}.weight`, [d]],
      [`${p}.${name}.bias`, [d]],
    ];
    return [
      ...['query_proj', 'key_proj', 'value_proj'].flatMap((name) => dense(`attention.self.${name}`, d, d)),
      ...dense('attention.output.dense', d, d),
      ...norm('attention.output.LayerNorm'),
      ...dense('intermediate.dense', f, d),
      ...dense('output.dense', d, f),
      ...norm('output.LayerNorm'),
    ];
  };
  const tensors: [string, number[]][] = [
    ['deberta.embeddings.word_embeddings.weight', [SHAPE.vocabulary, d]],
    ['deberta.embeddings.LayerNorm.weight', [d]],
    ['deberta.embeddings.LayerNorm.bias', [d]],
    ['deberta.encoder.rel_embeddings.weight', [SHAPE.buckets * 2, d]],
    ['deberta.encoder.LayerNorm.weight', [d]],
    ['deberta.encoder.LayerNorm.bias', [d]],
    ...Array.from({ length: SHAPE.layers }, (_, at) => layer(at)).flat(),
    ['pooler.dense.weight', [d, d]],
    ['pooler.dense.bias', [d]],
    ['classifier.weight', [2, d]],
    ['classifier.bias', [2]],
  ];
  let offset = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of tensors) {
    const bytes = 4 * shape.reduce((product, one) => product * one, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  // Normal enough: values between -0.05 and 0.05.
  const noise = Buffer.from(Float32Array.from(randomBytes(1 << 20), (one) => (one - 127.5) / 2550).buffer);
  const out = openSync(file, 'w');
  writeSync(out, length);
  writeSync(out, head);
  for (const [name, shape] of tensors) {
    const bytes = 4 * shape.reduce((product, one) => product * one, 1);
    // Norms that scale by one: an answer then depends on the text, and can be compared with another engine's.
    if (name.endsWith('LayerNorm.weight'))
      writeSync(out, Buffer.from(new Float32Array(bytes / 4).fill(1).buffer));
    else
      for (let left = bytes; left > 0; left -= noise.length)
        writeSync(out, noise, 0, Math.min(left, noise.length));
  }
  closeSync(out);
}
