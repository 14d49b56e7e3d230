import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoEngine } from '../../../guard/index.ts';
import { rowOf } from '../../output.ts';
import { type Found, fault, note, ok, warning } from '../finding.ts';
import { weakenedOf } from '../inventory.ts';
import type { Patient } from '../patient.ts';

/** Programs of the same user could read keys and database around the gate (rule 4 of docs/guarantees.md). */
export function checkUsers({ config, uid }: Pick<Patient, 'config' | 'uid'>): Found[] {
  const { keys } = config.paths;
  if (uid === null || !existsSync(keys) || statSync(keys).uid !== uid) {
    return [ok('The state folder belongs to another user than this one, or there is none yet.')];
  }
  const agents = join(keys, 'agents');
  const here = existsSync(agents) ? readdirSync(agents).filter((name) => name.endsWith('.json')) : [];
  const remedy = 'Run agents as a user of their own (docs/start.md).';
  return here.length === 0
    ? [note('Programs of this user can read the keys and the log of the gate.', remedy)]
    : [
        warning(
          `Keys of ${here.length} agents lie in the gate's own state folder: agents that run as this user can read everything.`,
          remedy,
        ),
      ];
}

/** The guard model: as the service tells it, or whether it could start here. */
export function checkGuard({ service }: Pick<Patient, 'service'>): Found[] {
  if (service.kind !== 'ours') {
    const reason = whyNoEngine();
    return [reason === null ? ok('The guard engine is built, and made from these sources.') : note(reason)];
  }
  const status = rowOf(service.status.guard);
  const reason = String(status.reason ?? 'it gives no reason');
  if (status.kind === 'absent') return [note(reason)];
  if (status.kind === 'ready') {
    return [ok(`The guard reads with ${status.model} (${status.architecture}) on ${status.backend}.`)];
  }
  if (status.kind === 'starting') return [note('The guard loads its model.')];
  const what = `The guard model does not work: ${reason}`;
  const remedy =
    'sallyport guard check FILE tells more of a model file; docs/reference/guard.md of the rest.';
  return [status.required === true ? fault(what, remedy) : warning(what, remedy)];
}

/** What an administrator has weakened. */
export function checkSettings({ service, config }: Pick<Patient, 'service' | 'config'>): Found[] {
  const weakened = service.kind === 'ours' ? weakenedOf(service.status) : [];
  return [
    ok(
      `The settings are in order (${existsSync(config.paths.file) ? config.paths.file : 'all at their defaults'}).`,
    ),
    ...weakened.map((sentence) => note(sentence)),
  ];
}
