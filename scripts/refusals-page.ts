import { describeRefusal, REFUSAL_CODES } from '../src/core/index.ts';

/** The text of docs/reference/refusals.md. */
export function refusalsReference(): string {
  const rows = REFUSAL_CODES.map((code) => {
    const { what, remedy } = describeRefusal(code);
    return `| \`${code}\` | ${what} | ${remedy} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

const HEAD = `# Refusals

Generated from src/core/refusal.ts by \`npm run docs\`.

When the gate says no, the answer is problem+json (RFC 9457) with \`type\` \`urn:sallyport:refusal:<code>\`, the
\`code\`, \`title\` (what happened), \`remedy\` (what to do), where there is more to say a \`detail\`, and the \`callId\`
under which the audit log tells the rest. The field \`sallyport-refusal\` carries the code, too; an upstream can
not send it. The set is closed.

| code | what happened | what to do |
|---|---|---|
`;
