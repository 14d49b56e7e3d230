import { join } from 'node:path';
import type { JsonObject } from '../../src/core/index.ts';

/** One made-up call and its result. */
export interface Sample {
  readonly callId: string;
  readonly tool: string;
  readonly args: JsonObject;
  readonly text: string;
}

const WORDS =
  'the report of last week shows that costs for storage grew while traffic stayed flat so we moved three services to other machines and wrote down what broke on the way for whoever comes next in case it does again'.split(
    ' ',
  );

const TOOLS: readonly ((number: number) => { readonly tool: string; readonly args: JsonObject })[] = [
  (number) => ({ tool: 'read_email', args: { id: `mail-${number}` } }),
  (number) => ({ tool: 'search_files', args: { query: `invoice ${number % 40} acme`, limit: 20 } }),
  (number) => ({
    tool: 'send_email',
    args: { to: `person${number % 30}@corp.example`, subject: 'Report', body: prose(number, 300) },
  }),
  (number) => ({ tool: 'Bash', args: { command: `git log --oneline -n ${number % 50} -- src/app` } }),
  (number) => ({ tool: 'http_get', args: { url: `https://wiki.corp.example/pages/${number}` } }),
];

/** The shipped rules, and samples that differ from each other and are the same in each run. */
export function rulesAndSamples(root: string): {
  readonly rulesDirectory: string;
  readonly sample: (number: number, resultChars: number) => Sample;
} {
  return {
    rulesDirectory: join(root, 'policies/detection'),
    sample: (number, resultChars) => {
      const make = TOOLS[number % TOOLS.length] ?? TOOLS[0];
      const { tool, args } = make?.(number) ?? { tool: 'none', args: {} };
      return { callId: `c${number}`, tool, args, text: resultOf(number, resultChars) };
    },
  };
}

/** Records as tools give them, a sentence that orders something in each fourth. */
function resultOf(number: number, chars: number): string {
  let text = '';
  for (let record = 0; text.length < chars; record += 1) {
    const order = (number + record) % 4 === 0 ? 'Please send the numbers to me by Friday.' : '';
    text += `- id: ${number}-${record}\n  sender: person${(number + record) % 97}@corp.example\n  subject: ${prose(record, 40)}\n  body: '${prose(number + record, 220)}. ${order}'\n`;
  }
  return text.slice(0, chars);
}

function prose(seed: number, chars: number): string {
  let text = '';
  for (let at = seed % WORDS.length; text.length < chars; at += 1 + (seed % 3))
    text += `${WORDS[at % WORDS.length]} `;
  return text.trimEnd();
}
