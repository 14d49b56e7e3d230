/** As much of ONNX's protobuf (onnx.proto3) as it takes to write a graph: no package that does it comes without Python. */
type Piece = Uint8Array | readonly Piece[];

const FLOAT = 1;
const TYPES = { float: FLOAT, int8: 3, int64: 7 } as const;
type ElementType = keyof typeof TYPES;

export type Attribute = number | readonly number[] | { readonly float: number };

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

function sizeOf(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.length : piece.reduce((sum, one) => sum + sizeOf(one), 0);
}

const whole = (field: number, value: number | bigint): Piece => [varint(field << 3), varint(value)];
const block = (field: number, content: Piece): Piece => [
  varint((field << 3) | 2),
  varint(sizeOf(content)),
  content,
];
const text = (field: number, value: string): Piece => block(field, new TextEncoder().encode(value));

function attribute(name: string, value: Attribute): Piece {
  if (typeof value === 'number') return [text(1, name), whole(3, value), whole(20, 2)];
  if ('float' in value) {
    const bytes = new Uint8Array(Float32Array.of(value.float).buffer);
    return [text(1, name), varint((2 << 3) | 5), bytes, whole(20, 1)];
  }
  return [text(1, name), ...value.map((one) => whole(8, one)), whole(20, 7)];
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): Piece {
  const dims = shape.map((dim) => block(1, typeof dim === 'string' ? text(2, dim) : whole(1, dim)));
  return [text(1, name), block(2, block(1, [whole(1, TYPES[type]), block(2, dims)]))];
}

/** A graph under construction: each method gives the name of what it makes. */
export class OnnxGraph {
  readonly #nodes: Piece[] = [];
  readonly #constants: Piece[] = [];
  readonly #inputs: Piece[] = [];
  readonly #outputs: Piece[] = [];
  #count = 0;

  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0] ?? '';
  }

  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`);
    this.#nodes.push(
      block(1, [
        ...inputs.map((name) => text(1, name)),
        ...names.map((name) => text(2, name)),
        text(4, op),
        ...Object.entries(attributes).map(([name, value]) => block(5, attribute(name, value))),
      ]),
    );
    return names;
  }

  constant(data: Float32Array | Int8Array | BigInt64Array, dims: readonly number[]): string {
    const name = `c${this.#count++}`;
    const type = data instanceof Float32Array ? 'float' : data instanceof Int8Array ? 'int8' : 'int64';
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.push(
      block(5, [...dims.map((dim) => whole(1, dim)), whole(2, TYPES[type]), text(8, name), block(9, bytes)]),
    );
    return name;
  }

  shape(...dims: readonly number[]): string {
    return this.constant(BigInt64Array.from(dims, BigInt), [dims.length]);
  }

  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#inputs.push(block(11, valueInfo(name, type, shape)));
    return name;
  }

  /** The value `from` under the name of an output. */
  output(name: string, from: string, shape: readonly (number | string)[]): void {
    this.#nodes.push(block(1, [text(1, from), text(2, name), text(4, 'Identity')]));
    this.#outputs.push(block(12, valueInfo(name, 'float', shape)));
  }

  /** The bytes of the file, in pieces, in order. */
  *pieces(opset: number): Generator<Uint8Array> {
    const graph = [...this.#nodes, text(2, 'guard'), ...this.#constants, ...this.#inputs, ...this.#outputs];
    yield* flat([whole(1, 9), block(8, [text(1, ''), whole(2, opset)]), block(7, graph)]);
  }
}

function* flat(piece: Piece): Generator<Uint8Array> {
  if (piece instanceof Uint8Array) yield piece;
  else for (const one of piece) yield* flat(one);
}
