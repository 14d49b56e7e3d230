import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadRules, RuleError } from '../../../detector/index.ts';
import { checkPolicies, closedServices, formatFault } from '../../../policy/index.ts';
import { type Found, fault, ok, skipped, warning } from '../finding.ts';
import { policyFaultsOf } from '../inventory.ts';
import type { Patient } from '../patient.ts';

/** Whether policies and detection rules load, and whether they open every service. */
export async function checkPolicyFolder(patient: Patient): Promise<Found[]> {
  const { config, service, inventory, now } = patient;
  const { policies: directory } = config.paths;
  if (!existsSync(directory)) {
    return existsSync(config.paths.database)
      ? [
          fault(
            `${directory} is missing: nothing is allowed without policies.`,
            'Restore it, or start the service, which puts the shipped ones there.',
          ),
        ]
      : [skipped('There are no policies yet; the first start puts the shipped ones there.')];
  }
  const report = await checkPolicies(directory);
  const found = report.faults.map((one) =>
    fault(
      formatFault(one),
      'Correct the file, then: sallyport policy check. Until then an older set stays in force.',
    ),
  );
  found.push(...(await rules(join(directory, 'detection'))));
  if (found.length > 0) return found;
  if (service.kind === 'ours' && policyFaultsOf(service.status).length > 0) {
    found.push(
      warning(
        'The files are in order, and the service still uses an older set.',
        'Run: sallyport policy reload',
      ),
    );
  }
  const names = typeof inventory === 'string' ? [] : inventory.services.map(({ name }) => name);
  for (const name of await closedServices(directory, names, now)) {
    found.push(
      warning(
        `No policy opens the service ${name}: every call to it is denied.`,
        `Write one, and see: sallyport policy explain --help`,
      ),
    );
  }
  return found.length > 0 ? found : [ok(`${report.policies} policies and the detection rules load.`)];
}

async function rules(directory: string): Promise<Found[]> {
  try {
    await loadRules(directory);
    return [];
  } catch (cause) {
    if (!(cause instanceof RuleError)) throw cause;
    const remedy = `Correct the file in ${directory}; the service does not start with it.`;
    return cause.faults.map((one) => fault(`Detection rules: ${one}.`, remedy));
  }
}
