import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { type DecoderShape, QUANTS, type Quant } from './shapes.ts';

const ALIGNMENT = 32;
const F32 = 0;

interface Tensor {
  readonly name: string;
  /** Fastest first, as GGUF counts. */
  readonly dims: readonly number[];
  readonly kind: 'norm' | 'matrix';
}

/** Writes a model of this shape with random weights, that every engine of GGUF files loads; once. */
export function makeGguf(file: string, shape: DecoderShape, quant: Quant): void {
  if (existsSync(file)) return;
  const tensors = tensorsOf(shape);
  const draft = `${file}.${process.pid}`;
  const out = openSync(draft, 'w');
  try {
    const head = Buffer.concat([...header(shape, tensors.length), ...infos(tensors, quant)]);
    writeSync(out, head);
    writeSync(out, Buffer.alloc(padding(head.length)));
    const noise = noiseOf(quant);
    for (const tensor of tensors) writeTensor(out, tensor, quant, noise);
  } finally {
    closeSync(out);
  }
  renameSync(draft, file);
}

function tensorsOf(s: DecoderShape): Tensor[] {
  const matrix = (name: string, k: number, n: number): Tensor => ({ name, dims: [k, n], kind: 'matrix' });
  const norm = (name: string, n: number): Tensor => ({ name, dims: [n], kind: 'norm' });
  const layers = Array.from({ length: s.layers }, (_, layer) => {
    const at = (name: string) => `blk.${layer}.${name}.weight`;
    const all = s.heads * s.headWidth;
    const shared = s.kvHeads * s.headWidth;
    return [
      norm(at('attn_norm'), s.width),
      matrix(at('attn_q'), s.width, all),
      matrix(at('attn_k'), s.width, shared),
      matrix(at('attn_v'), s.width, shared),
      matrix(at('attn_output'), all, s.width),
      ...(s.architecture === 'qwen3'
        ? [norm(at('attn_q_norm'), s.headWidth), norm(at('attn_k_norm'), s.headWidth)]
        : []),
      norm(at('ffn_norm'), s.width),
      matrix(at('ffn_gate'), s.width, s.feedForward),
      matrix(at('ffn_up'), s.width, s.feedForward),
      matrix(at('ffn_down'), s.feedForward, s.width),
    ];
  });
  return [
    matrix('token_embd.weight', s.width, s.vocabulary),
    norm('output_norm.weight', s.width),
    ...layers.flat(),
  ];
}

function header(s: DecoderShape, tensors: number): Buffer[] {
  const p = s.architecture;
  const pairs: Buffer[] = [
    pair('general.architecture', text(p), 8),
    pair('general.alignment', u32(ALIGNMENT), 4),
    pair(`${p}.context_length`, u32(4096), 4),
    pair(`${p}.embedding_length`, u32(s.width), 4),
    pair(`${p}.block_count`, u32(s.layers), 4),
    pair(`${p}.feed_forward_length`, u32(s.feedForward), 4),
    pair(`${p}.attention.head_count`, u32(s.heads), 4),
    pair(`${p}.attention.head_count_kv`, u32(s.kvHeads), 4),
    pair(`${p}.attention.key_length`, u32(s.headWidth), 4),
    pair(`${p}.attention.value_length`, u32(s.headWidth), 4),
    pair(`${p}.rope.dimension_count`, u32(s.headWidth), 4),
    pair(`${p}.attention.layer_norm_rms_epsilon`, f32(1e-6), 6),
    pair(`${p}.rope.freq_base`, f32(s.ropeBase), 6),
    pair('tokenizer.ggml.model', text('gpt2'), 8),
    pair('tokenizer.ggml.pre', text('qwen2'), 8),
    pair('tokenizer.ggml.tokens', array(8, vocabulary(s.vocabulary).map(text)), 9),
    pair(
      'tokenizer.ggml.token_type',
      array(
        5,
        Array.from({ length: s.vocabulary }, () => u32(1)),
      ),
      9,
    ),
    pair('tokenizer.ggml.merges', array(8, [text('a b')]), 9),
    pair('tokenizer.ggml.eos_token_id', u32(s.vocabulary - 1), 4),
    pair('tokenizer.ggml.bos_token_id', u32(s.vocabulary - 1), 4),
    pair('tokenizer.ggml.add_bos_token', Buffer.from([0]), 7),
  ];
  return [Buffer.from('GGUF'), u32(3), u64(tensors), u64(pairs.length), ...pairs];
}

function infos(tensors: readonly Tensor[], quant: Quant): Buffer[] {
  let offset = 0;
  return tensors.flatMap((tensor) => {
    const { name, dims, kind } = tensor;
    const type = kind === 'norm' ? F32 : QUANTS[quant].type;
    const info = [text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)];
    const bytes = bytesOf(tensor, quant);
    offset += bytes + padding(bytes);
    return info;
  });
}

function writeTensor(out: number, tensor: Tensor, quant: Quant, noise: Buffer): void {
  const bytes = bytesOf(tensor, quant);
  if (tensor.kind === 'norm') {
    writeSync(out, Buffer.from(new Float32Array(tensor.dims[0] ?? 0).fill(1).buffer));
  } else {
    for (let left = bytes; left > 0; left -= noise.length)
      writeSync(out, noise, 0, Math.min(left, noise.length));
  }
  writeSync(out, Buffer.alloc(padding(bytes)));
}

/** Some megabytes of blocks, written again and again: the time of a product does not depend on its values. */
function noiseOf(quant: Quant): Buffer {
  const { blockBytes, scale } = QUANTS[quant];
  const noise = randomBytes(blockBytes * 100_003);
  for (let at = 0; at < noise.length; at += blockBytes) noise.writeUInt16LE(scale, at);
  return noise;
}

function bytesOf({ dims, kind }: Tensor, quant: Quant): number {
  const count = dims.reduce((product, one) => product * one, 1);
  return kind === 'norm' ? count * 4 : (count / 32) * QUANTS[quant].blockBytes;
}

/** GPT-2's printable alphabet for all bytes, one joined word, and names for the rest. */
function vocabulary(size: number): string[] {
  let next = 256;
  const shown = (byte: number) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || (byte > 173 && byte < 256);
  const alphabet = Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(shown(byte) ? byte : next++),
  );
  return [...alphabet, 'ab', ...Array.from({ length: size - 257 }, (_, at) => `word${at}`)];
}

function padding(bytes: number): number {
  return (ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT;
}

function pair(key: string, value: Buffer, type: number): Buffer {
  return Buffer.concat([text(key), u32(type), value]);
}

function array(type: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(type), u64(items.length), ...items]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
