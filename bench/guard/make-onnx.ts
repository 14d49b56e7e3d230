import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SHAPE } from './make-encoder.ts';
import { OnnxGraph } from './onnx-file.ts';

/**
 * The encoder of `make-encoder.ts` as an ONNX file of the same weights: float32, or with matrices and activations in
 * dynamic int8, as `onnxruntime.quantization.quantize_dynamic` writes it. Relative positions come as inputs.
 */
export type OnnxKind = 'fp32' | 'int8';

const OPSET = 20;
const EPSILON = 1e-7;

type Tensors = (name: string) => { readonly data: Float32Array; readonly shape: readonly number[] };

/** Writes the file; once. */
export function makeOnnx(file: string, encoder: string, kind: OnnxKind): void {
  if (existsSync(file)) return;
  const draft = `${file}.${process.pid}`;
  const out = openSync(draft, 'w');
  for (const piece of graphOf(readTensors(join(encoder, 'model.safetensors')), kind).pieces(OPSET)) {
    for (let at = 0; at < piece.length; ) at += writeSync(out, piece, at);
  }
  closeSync(out);
  renameSync(draft, file);
}

function readTensors(file: string): Tensors {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  return (name) => {
    const entry = header[name];
    if (entry === undefined) throw new Error(`no tensor ${name}`);
    const [from, to] = entry.data_offsets;
    // A copy: float32 needs a border of four bytes.
    const data = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + 8 + length + from, bytes.byteOffset + 8 + length + to),
    );
    return { data, shape: entry.shape };
  };
}

function graphOf(tensors: Tensors, kind: OnnxKind): OnnxGraph {
  const g = new OnnxGraph();
  const { width: d, heads, buckets } = SHAPE;
  const headWidth = d / heads;
  const ids = g.input('input_ids', 'int64', [1, 's']);
  // [heads, s, s]: row i, column j the place of the distance i - j; and the same the other way round.
  const places = g.input('places', 'int64', [heads, 's', 's']);
  const turned = g.input('places_turned', 'int64', [heads, 's', 's']);

  const vector = (name: string) => g.constant(tensors(name).data, tensors(name).shape);
  const norm = (x: string, name: string) =>
    g.node('LayerNormalization', [x, vector(`${name}.weight`), vector(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: EPSILON },
    });
  const product = (x: string, name: string): string => {
    const { data, shape } = tensors(name);
    const [n = 0, k = 0] = shape;
    const w = transposed(data, n, k);
    if (kind === 'fp32') return g.node('MatMul', [x, g.constant(w, [k, n])]);
    const most = w.reduce((high, one) => Math.max(high, Math.abs(one)), 0);
    const scale = most / 127;
    const rounded = g.constant(
      Int8Array.from(w, (one) => Math.round(one / scale)),
      [k, n],
    );
    const [q = '', xScale = '', xZero = ''] = g.nodes('DynamicQuantizeLinear', [x], 3);
    const sums = g.node('MatMulInteger', [q, rounded, xZero, g.constant(Int8Array.of(0), [])]);
    const scales = g.node('Mul', [xScale, g.constant(Float32Array.of(scale), [])]);
    return g.node('Mul', [g.node('Cast', [sums], { to: 1 }), scales]);
  };
  const dense = (x: string, name: string) =>
    g.node('Add', [product(x, `${name}.weight`), vector(`${name}.bias`)]);
  const split = (x: string) =>
    g.node('Transpose', [g.node('Reshape', [x, g.shape(-1, heads, headWidth)])], { perm: [1, 0, 2] });
  const turn = (x: string) => g.node('Transpose', [x], { perm: [0, 2, 1] });

  const embedding = tensors('deberta.embeddings.word_embeddings.weight');
  const looked = g.node('Gather', [
    g.constant(embedding.data, embedding.shape),
    g.node('Reshape', [ids, g.shape(-1)]),
  ]);
  let x = norm(looked, 'deberta.embeddings.LayerNorm');
  const relative = norm(vector('deberta.encoder.rel_embeddings.weight'), 'deberta.encoder.LayerNorm');
  const scale = g.constant(Float32Array.of(1 / Math.sqrt(headWidth * 3)), []);
  for (let layer = 0; layer < SHAPE.layers; layer++) {
    const at = `deberta.encoder.layer.${layer}`;
    const self = `${at}.attention.self`;
    const q = split(dense(x, `${self}.query_proj`));
    const k = split(dense(x, `${self}.key_proj`));
    const v = split(dense(x, `${self}.value_proj`));
    const positionKey = split(dense(relative, `${self}.key_proj`));
    const positionQuery = split(dense(relative, `${self}.query_proj`));
    const content = g.node('MatMul', [q, turn(k)]);
    const c2p = g.node('GatherElements', [g.node('MatMul', [q, turn(positionKey)]), places], { axis: 2 });
    const p2c = g.node('GatherElements', [g.node('MatMul', [k, turn(positionQuery)]), turned], { axis: 2 });
    const all = g.node('Add', [g.node('Add', [content, c2p]), turn(p2c)]);
    const shares = g.node('Softmax', [g.node('Mul', [all, scale])], { axis: -1 });
    const mixed = g.node('Transpose', [g.node('MatMul', [shares, v])], { perm: [1, 0, 2] });
    const joined = g.node('Reshape', [mixed, g.shape(-1, d)]);
    const attended = dense(joined, `${at}.attention.output.dense`);
    x = norm(g.node('Add', [x, attended]), `${at}.attention.output.LayerNorm`);
    const wide = g.node('Gelu', [dense(x, `${at}.intermediate.dense`)]);
    x = norm(g.node('Add', [x, dense(wide, `${at}.output.dense`)]), `${at}.output.LayerNorm`);
  }
  const first = g.node('Gather', [x, g.shape(0)]);
  const pooled = g.node('Gelu', [dense(first, 'pooler.dense')]);
  g.output('logits', dense(pooled, 'classifier'), [1, 2]);
  if (buckets * 2 !== tensors('deberta.encoder.rel_embeddings.weight').shape[0])
    throw new Error('not this shape');
  return g;
}

function transposed(w: Float32Array, n: number, k: number): Float32Array {
  const out = new Float32Array(w.length);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) out[j * n + i] = w[i * k + j] ?? 0;
  return out;
}

/** Where the distance of two tokens stands in the table of relative positions: near ones each, far ones in growing steps. */
export function placeOf(distance: number): number {
  const span = SHAPE.buckets;
  const middle = span / 2;
  const far = Math.abs(distance);
  const steps =
    far <= middle
      ? distance
      : Math.sign(distance) *
        (Math.ceil((Math.log(far / middle) / Math.log((SHAPE.positions - 1) / middle)) * (middle - 1)) +
          middle);
  return Math.min(Math.max(steps + span, 0), 2 * span - 1);
}
