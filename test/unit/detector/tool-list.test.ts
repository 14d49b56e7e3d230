import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ToldTool, ToolListReader } from '../../../src/detector/labels/index.ts';

const TOOLS = [
  {
    name: 'get_weather',
    description: 'Says "tools": [ and ] and } and \\"',
    inputSchema: { type: 'object' },
  },
  { name: 'löschen', annotations: { title: 'x', readOnlyHint: false, destructiveHint: true } },
];
const EXPECTED: readonly ToldTool[] = [
  { name: 'get_weather', hints: {} },
  { name: 'löschen', hints: { readOnlyHint: false, destructiveHint: true } },
];

function read(text: string, cuts: readonly number[] = []): readonly ToldTool[] {
  const reader = new ToolListReader();
  const bytes = Buffer.from(text);
  const edges = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).flatMap((to, at) => reader.push(bytes.subarray(edges[at], to)));
}

const answer = { jsonrpc: '2.0', id: 1, result: { tools: TOOLS, nextCursor: 'x' } };

describe('a list of tools in an answer', () => {
  it('is read out of JSON, compact or with white space, and out of an event stream', () => {
    expect(read(JSON.stringify(answer))).toEqual(EXPECTED);
    expect(read(JSON.stringify(answer, null, 2))).toEqual(EXPECTED);
    expect(read(`event: message\ndata: ${JSON.stringify(answer)}\n\n: ping\n`)).toEqual(EXPECTED);
  });

  it('is read whatever the chunks', () => {
    const text = `data: {"jsonrpc":"2.0","result":{"x":"tools"}}\n\ndata: ${JSON.stringify(answer)}\n\n`;
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        expect(read(text, cuts)).toEqual(EXPECTED);
      }),
    );
  });

  it('is read as far as it came, so that an answer that is cut off counts as well', () => {
    expect(read(JSON.stringify(answer).slice(0, -20))).toEqual(EXPECTED);
  });

  it('is read again where a stream has a second one', () => {
    const events = `data: ${JSON.stringify(answer)}\n\n`.repeat(2);
    expect(read(events)).toEqual([...EXPECTED, ...EXPECTED]);
  });

  it('is none inside a string, and none where the tools are no list', () => {
    expect(read(JSON.stringify({ result: { content: [{ text: JSON.stringify(answer) }] } }))).toEqual([]);
    expect(read(JSON.stringify({ result: { capabilities: { tools: { listChanged: true } } } }))).toEqual([]);
  });

  it('passes over what is no tool, and a description that is too long', () => {
    const tools = [
      3,
      'x',
      null,
      [],
      {},
      { name: 4 },
      { name: 'long', description: 'x'.repeat(70_000) },
      ...TOOLS,
    ];
    expect(read(JSON.stringify({ result: { tools } }), [10_000, 20_000, 65_000])).toEqual(EXPECTED);
  });

  it('has an end, however much comes', () => {
    const reader = new ToolListReader();
    reader.push(Buffer.from('{"result":{"tools":['));
    for (let turn = 0; turn < 80; turn += 1) reader.push(Buffer.from('{"x":['.repeat(11_000)));
    expect(reader.push(Buffer.from(JSON.stringify(answer)))).toEqual([]);
  });
});
