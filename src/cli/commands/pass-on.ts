import { existsSync, readFileSync } from 'node:fs';
import { LIMITS } from '../../core/index.ts';
import { ProofFault, parseStrictJson, parseToolCallDetails } from '../../proof/index.ts';
import { Agent, type Delegation, type PrivateJwk, SdkFault } from '../../sdk/index.ts';
import { agentKeyFile, loadAgent } from '../agent-keys.ts';
import { CliFault, EXIT, usageFault } from '../fault.ts';
import type { State } from '../state.ts';
import { trustInFetch } from '../trust.ts';

/** What is passed on, as the command line says it. */
interface Wanted {
  readonly to: string;
  readonly agent: string | undefined;
  readonly scope: string | undefined;
  readonly details: string | undefined;
  readonly 'max-depth': string | undefined;
  readonly lifetime: string | undefined;
}

/** Asks the issuer, as an agent of this machine. `to` is the id of the agent that may act. Throws CliFault. */
export async function passOn(
  values: Wanted,
  state: State,
  url: string | undefined,
): Promise<{ readonly to: string; readonly given: Delegation }> {
  const { clientId, privateJwk } = await loadAgent(state, values.agent);
  const to = await idOf(values.to, state);
  const depth = wholeOf('--max-depth', values['max-depth']);
  const lifetime = wholeOf('--lifetime', values.lifetime);
  trustInFetch(state.caFile);
  try {
    const agent = await Agent.open({
      issuer: url ?? state.controlUrl,
      gate: state.gatewayUrl,
      clientId,
      key: privateJwk as PrivateJwk,
    });
    const given = await agent.passOn(to, {
      ...(values.scope === undefined ? {} : { scope: values.scope }),
      ...(values.details === undefined ? {} : { authorizationDetails: detailsOf(values.details) }),
      ...(depth === null ? {} : { maxDepth: depth }),
      ...(lifetime === null ? {} : { lifetimeSeconds: lifetime }),
    });
    return { to, given };
  } catch (fault) {
    if (!(fault instanceof SdkFault)) throw fault;
    throw new CliFault(EXIT.refused, fault.code, fault.message, { cause: fault });
  }
}

async function idOf(agent: string, state: State): Promise<string> {
  if (agent.startsWith('agent_')) return agent;
  if (existsSync(agentKeyFile(state, agent))) return (await loadAgent(state, agent)).clientId;
  throw usageFault(
    `There is no key for ${agent} here, so its id is not known.`,
    'Name it by its id: agent_…',
  );
}

function detailsOf(text: string) {
  try {
    const json = text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text;
    return parseToolCallDetails(parseStrictJson(json, LIMITS.jsonDepth));
  } catch (cause) {
    if (!(cause instanceof ProofFault)) throw usageFault(`${text.slice(1)} can not be read.`);
    throw usageFault(`--details: ${cause.message}`, 'See docs/reference/passport.md.');
  }
}

function wholeOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[0-9]{1,9}$/.test(text)) throw usageFault(`${option} takes a whole number.`);
  return Number(text);
}
