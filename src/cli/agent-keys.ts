import { existsSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import {
  createKeyFile,
  KeyFileError,
  readKeyFile,
  removeKeyFile,
  replaceKeyFile,
  syncFolder,
} from '../files/index.ts';
import { stateFault, usageFault } from './fault.ts';
import type { AgentIdentity } from './relay/index.ts';
import type { State } from './state.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const keyFile = z.strictObject({
  clientId: z.string().min(1),
  privateJwk: z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    d: z.string().min(1),
    kid: z.string().min(1),
    alg: z.literal('ES256'),
  }),
});

/** A key pair of an agent before it has a place. */
export interface NewAgentKey {
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

/** A P-256 key pair; its `kid` is the thumbprint (RFC 7638). The private half never leaves this machine. */
export async function generateAgentKey(): Promise<NewAgentKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const { d, ...open } = jwk;
  return {
    publicJwk: { ...open, kid, alg: 'ES256', use: 'sig' },
    privateJwk: { ...open, ...(d === undefined ? {} : { d }), kid, alg: 'ES256' },
  };
}

/** `keys/agents/<name>.json` of the state folder. Throws CliFault for a name that would lead elsewhere. */
export function agentKeyFile(state: State, name: string): string {
  if (!NAME.test(name)) {
    throw usageFault(
      `${JSON.stringify(name)} is not a name for an agent.`,
      'Use a-z, 0-9, dot, dash and underscore.',
    );
  }
  return join(state.agentKeys, `${name}.json`);
}

/** Writes the key of a new agent, mode 0600. Throws CliFault when there is one by this name. */
export async function saveAgentKey(file: string, identity: AgentIdentity): Promise<void> {
  if (await createKeyFile(file, textOf(identity))) return;
  throw stateFault(`${file} exists already.`, 'Move it away, or choose another name.');
}

/** Puts a key in the place of another one in two steps, so that a crash between them loses neither. */
export async function prepareAgentKey(
  file: string,
  identity: AgentIdentity,
): Promise<{ commit(): Promise<void>; discard(): Promise<void> }> {
  const draft = `${file}.next`;
  await replaceKeyFile(draft, textOf(identity));
  return {
    async commit() {
      await rename(draft, file);
      await syncFolder(dirname(file));
    },
    discard: () => removeKeyFile(draft),
  };
}

/** The agent that a command acts as: `--agent`, else SALLYPORT_AGENT, else the only one of this machine. */
export async function loadAgent(state: State, named: string | undefined): Promise<AgentIdentity> {
  const name = named ?? state.agentVariable ?? onlyAgent(state);
  const file = agentKeyFile(state, name);
  const found = await readKey(file);
  if (found !== null) return found;
  throw stateFault(
    `There is no key for the agent ${name} on this machine (${file}).`,
    `Make one: sallyport agent add ${name} --scope <service>:<access>`,
  );
}

function onlyAgent(state: State): string {
  const names = existsSync(state.agentKeys)
    ? readdirSync(state.agentKeys).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
    : [];
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw names.length === 0
    ? stateFault(
        'There is no agent on this machine.',
        'Make one: sallyport agent add NAME --scope <service>:<access>',
      )
    : usageFault(`There are several agents on this machine: ${names.join(', ')}.`, 'Name one with --agent.');
}

async function readKey(file: string): Promise<AgentIdentity | null> {
  try {
    const bytes = await readKeyFile(file);
    return bytes === null ? null : keyFile.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    if (cause instanceof KeyFileError) throw stateFault(cause.message, undefined, cause);
    throw stateFault(
      `${file} is not a whole agent key; it was cut off or edited.`,
      'Delete it, then make a new key: sallyport agent rotate NAME',
      cause,
    );
  }
}

function textOf({ clientId, privateJwk }: AgentIdentity): string {
  return `${JSON.stringify({ clientId, privateJwk }, null, 2)}\n`;
}
