import { createReadStream, existsSync } from 'node:fs';
import { argument, defineCommand } from '../command.ts';
import { CliFault, EXIT, stateFault, usageFault } from '../fault.ts';
import type { CallAnswer } from '../relay/index.ts';
import { AGENT_OPTIONS, relayOptionsOf } from './agent-options.ts';

export const call = defineCommand({
  name: 'call',
  summary: 'Make one call as an agent; exit code 1 when the answer is 400 or above.',
  arguments: [{ name: 'URL', help: 'The upstream’s own URL, or a path of the gate: /s/<service>/…' }],
  options: {
    ...AGENT_OPTIONS,
    method: { type: 'string', short: 'X', value: 'METHOD', help: 'Default: GET, or POST with --data.' },
    header: { type: 'string', short: 'H', multiple: true, value: "'NAME: VALUE'", help: 'A field to send.' },
    data: {
      type: 'string',
      short: 'd',
      value: 'TEXT|@FILE|-',
      help: 'Body: text, a file, or standard input.',
    },
    include: { type: 'boolean', short: 'i', help: 'Show status and fields of the answer, too.' },
  },
  examples: [
    'sallyport call --agent builder https://api.github.com/user',
    'sallyport call /s/github/repos/acme/app/issues -d \'{"title":"hello"}\' -H \'Content-Type: application/json\'',
  ],
  async run(context) {
    const { output, args, values } = context;
    const target = argument(args, 0);
    if (!/^(https?:\/\/|\/)/.test(target))
      throw usageFault('URL begins with https://, http:// or /s/<service>/.');
    const { callOnce } = await import('../relay/index.ts');
    const body = bodyOf(values.data);
    const answer = await callOnce(target, {
      ...(await relayOptionsOf(context)),
      method: (values.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
      headers: values.header.map(fieldOf),
      ...(body === undefined ? {} : { body }),
    });
    if (output.json) await showJson(answer, (value) => output.result(value, ''));
    else await show(answer, values.include, (bytes) => output.raw(bytes));
    return answer.status >= 400 ? EXIT.refused : EXIT.ok;
  },
});

function fieldOf(text: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text);
  if (match?.[1] === undefined)
    throw usageFault(`${JSON.stringify(text)} is not a header field 'Name: value'.`);
  return [match[1], match[2] ?? ''];
}

function bodyOf(data: string | undefined) {
  if (data === undefined) return undefined;
  if (data === '-') return process.stdin;
  if (!data.startsWith('@')) return Buffer.from(data);
  const file = data.slice(1);
  if (!existsSync(file)) throw stateFault(`${file} can not be read.`, 'Check the name after --data @.');
  return createReadStream(file);
}

async function show(
  answer: CallAnswer,
  include: boolean,
  write: (bytes: string | Uint8Array) => void,
): Promise<void> {
  if (include) {
    write(`HTTP ${answer.status} ${answer.statusText}\n`);
    for (const [name, value] of answer.headers) write(`${name}: ${value}\n`);
    write('\n');
  }
  for await (const chunk of answer.body) write(chunk);
}

const MAX_JSON_BODY = 64 * 1024 * 1024;

/** The body stands in the JSON as text where it is UTF-8, else as base64. */
async function showJson(answer: CallAnswer, write: (value: unknown) => void): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > MAX_JSON_BODY) {
      throw new CliFault(EXIT.refused, 'answer_too_large', 'The answer is too large for --json.', {
        remedy: 'Leave --json out: the body is streamed then.',
      });
    }
    chunks.push(Buffer.from(chunk));
  }
  const { status, statusText, headers } = answer;
  write({ status, statusText, headers, ...bodyMember(Buffer.concat(chunks)) });
}

function bodyMember(bytes: Buffer): { readonly body: string } | { readonly bodyBase64: string } {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { bodyBase64: bytes.toString('base64') };
  }
}
