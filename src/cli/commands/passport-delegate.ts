import { existsSync, readFileSync } from 'node:fs';
import { LIMITS } from '../../core/index.ts';
import { ProofFault, parseStrictJson, parseToolCallDetails } from '../../proof/index.ts';
import { Agent, type PrivateJwk, SdkFault } from '../../sdk/index.ts';
import { agentKeyFile, loadAgent } from '../agent-keys.ts';
import { defineCommand } from '../command.ts';
import { writeDelegation } from '../delegation-file.ts';
import { CliFault, EXIT, usageFault } from '../fault.ts';
import type { State } from '../state.ts';
import { trustInFetch } from '../trust.ts';

export const passportDelegate = defineCommand({
  name: 'passport delegate',
  summary:
    'Pass on what an agent’s passport grants, or less, to one other agent; works once, within ten minutes, with that agent’s key alone.',
  options: {
    agent: {
      type: 'string',
      value: 'NAME',
      help: 'Agent of this machine that passes on; default: SALLYPORT_AGENT, or the only one.',
    },
    to: {
      type: 'string',
      value: 'AGENT',
      help: 'Id of the agent that may act, or its name if its key is here.',
    },
    scope: { type: 'string', value: 'SCOPES', help: 'Scopes to pass on; default: all.' },
    details: { type: 'string', value: 'JSON|@FILE', help: 'Authorization details of type tool_call.' },
    'max-depth': { type: 'string', value: 'N', help: 'Delegations that the chain may hold in all.' },
    lifetime: { type: 'string', value: 'SECONDS', help: 'How long the other agent may act, at most.' },
    out: { type: 'string', value: 'FILE', help: 'Write it there (mode 0600) in place of standard output.' },
  },
  examples: [
    'sallyport passport delegate --agent planner --to worker --scope github:read --out for-worker.json',
    'sallyport passport delegate --to agent_0mfx… --lifetime 60 --details @details.json > for-worker.json',
  ],
  async run({ output, values, state, url }) {
    if (values.to === undefined) throw usageFault('--to is needed: the agent that may act.');
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
      if (values.out === undefined) output.result(given, JSON.stringify(given));
      else {
        await writeDelegation(values.out, given);
        output.result({ file: values.out, to }, `Passed on to ${to}: ${values.out}.`);
      }
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      throw new CliFault(EXIT.refused, fault.code, fault.message, { cause: fault });
    }
    return undefined;
  },
});

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
