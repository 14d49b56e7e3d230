import { z } from 'zod';
import { askGateway } from './ask-gateway.ts';
import { RelayFault } from './fault.ts';
import { type PassportHolder, sentenceOf } from './passport-holder.ts';

const PATH = '/v1/ca';

const answerSchema = z.looseObject({
  certificate: z.string().includes('-----BEGIN CERTIFICATE-----'),
  hosts: z.array(z.string()),
  expiresAt: z.number(),
});

const problemSchema = z.looseObject({ title: z.string().optional(), detail: z.string().optional() });

/** The authority that signs what the gateway shows inside tunnels; constrained to the agent's hosts. */
export interface Authority {
  readonly certificatePem: string;
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Asks the gateway for a short-lived certificate authority. Throws RelayFault. */
export async function requestAuthority(holder: PassportHolder): Promise<Authority> {
  const answer = await askGateway(holder, PATH);
  if (answer.status !== 200 && answer.status !== 201) {
    throw new RelayFault(
      'gateway_refused',
      `the gateway at ${holder.gateway.origin} refused (status ${answer.status}${reasonOf(answer.text)})`,
      { refusal: answer.header('sallyport-refusal') },
    );
  }
  const parsed = answerSchema.safeParse(parse(answer.text));
  if (!parsed.success) {
    throw new RelayFault(
      'gateway_malformed',
      `${holder.gateway.origin} is not a Sallyport gateway: it gave no certificate`,
    );
  }
  const { certificate, hosts, expiresAt } = parsed.data;
  return { certificatePem: certificate, hosts, expiresAt };
}

function reasonOf(text: string): string {
  const parsed = problemSchema.safeParse(parse(text));
  const parts = parsed.success ? [parsed.data.title, parsed.data.detail] : [];
  return parts
    .filter((part) => part !== undefined)
    .map((part) => `: ${part}`)
    .join('');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return { detail: sentenceOf(cause) };
  }
}
