import { existsSync } from 'node:fs';
import { readAuditDirectory } from '../../../audit/index.ts';
import { type Found, note, ok, skipped, warning } from '../finding.ts';
import type { Inventory } from '../inventory.ts';
import type { Patient } from '../patient.ts';

/** An agent that is younger has had no chance yet. */
const NEW_MS = 60 * 60 * 1000;

/** Agents, services, credentials and decoys that don't fit together. */
export async function checkRegistry({ inventory, config, now }: Patient): Promise<Found[]> {
  if (typeof inventory === 'string') return [skipped(inventory)];
  const used = await readUse(config.paths.audit);
  const found = [
    ...inventory.agents.flatMap((agent) => agentFindings(agent, used, now)),
    ...inventory.services.flatMap((service) => serviceFindings(service, inventory)),
    ...inventory.credentials.flatMap(({ name, status }) => {
      if (status !== 'active' || inventory.services.some(({ credential }) => credential === name)) return [];
      return [
        warning(
          `No service uses the credential ${name}.`,
          `Revoke what is not needed: sallyport credential revoke ${name}`,
        ),
      ];
    }),
    ...(inventory.services.length > 0 && inventory.decoys === 0
      ? [note('No decoy is planted.', 'Plant one: sallyport decoy plant --help')]
      : []),
  ];
  if (found.some(({ level }) => level === 'warning')) return found;
  const { agents, services, credentials } = inventory;
  return [
    ok(
      `${agents.length} agents, ${services.length} services and ${credentials.length} credentials fit together.`,
    ),
    ...found,
  ];
}

function agentFindings(agent: Inventory['agents'][number], used: Use, now: number): Found[] {
  if (agent.status === 'quarantined') {
    return [
      note(
        `The agent ${agent.name} is quarantined.`,
        `When it is clean: sallyport agent release ${agent.name}`,
      ),
    ];
  }
  if (used.issued.has(agent.id)) return [];
  const reason = used.refused.get(agent.id);
  if (reason !== undefined) {
    return [
      warning(
        `The key of the agent ${agent.name} never worked; the last answer was ${reason}.`,
        `Make it a new one on its machine: sallyport agent rotate ${agent.name}`,
      ),
    ];
  }
  if (now - agent.createdAt < NEW_MS) return [];
  return [
    warning(
      `The agent ${agent.name} never asked for a passport.`,
      `Remove what is not needed: sallyport agent remove ${agent.name}`,
    ),
  ];
}

function serviceFindings(service: Inventory['services'][number], inventory: Inventory): Found[] {
  const { name, credential } = service;
  const found: Found[] = [];
  const kept = inventory.credentials.find((one) => one.name === credential);
  if (credential !== null && kept?.status !== 'active') {
    found.push(
      warning(
        `The service ${name} needs the credential ${credential}, which ${kept === undefined ? 'does not exist' : `is ${kept.status}`}: calls to it are refused.`,
        `Put it in: sallyport credential put ${credential} --service ${name}`,
      ),
    );
  }
  const agents = inventory.agents.filter(({ status }) => status !== 'deleted');
  if (
    agents.length > 0 &&
    !agents.some(({ scopes }) => scopes.some((scope) => scope.startsWith(`${name}:`)))
  ) {
    found.push(
      note(
        `No agent has a scope of the service ${name}.`,
        `Give one: sallyport agent update NAME --scope ${name}:read`,
      ),
    );
  }
  return found;
}

interface Use {
  /** Agents that ever got a passport. */
  readonly issued: ReadonlySet<string>;
  /** Clients that were refused one, with the last error. */
  readonly refused: ReadonlyMap<string, string>;
}

/** From the log, which forgets nothing; records of other kinds are passed over unparsed. */
async function readUse(directory: string): Promise<Use> {
  const issued = new Set<string>();
  const refused = new Map<string, string>();
  if (!existsSync(directory)) return { issued, refused };
  const records = readAuditDirectory(directory, { types: ['passport.issued', 'passport.refused'] });
  try {
    for await (const { event } of records) {
      if (event.type === 'passport.issued') issued.add(event.data.agentId);
      if (event.type === 'passport.refused' && event.data.clientId !== null) {
        refused.set(event.data.clientId, event.data.error);
      }
    }
  } catch (cause) {
    // A broken log is told by its own check; what was read until there counts.
    if (!(cause instanceof Error && cause.name === 'AuditFault')) throw cause;
  }
  return { issued, refused };
}
