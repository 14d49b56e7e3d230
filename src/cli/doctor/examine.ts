import { checkAudit } from './checks/audit.ts';
import { checkAuthority } from './checks/authority.ts';
import { checkClock } from './checks/clock.ts';
import { checkData } from './checks/data.ts';
import { checkDatabase } from './checks/database.ts';
import { checkKeys } from './checks/keys.ts';
import { checkPolicyFolder } from './checks/policies.ts';
import { checkPorts } from './checks/ports.ts';
import { checkGuard, checkSettings, checkUsers } from './checks/posture.ts';
import { checkProgram } from './checks/program.ts';
import { checkRegistry } from './checks/registry.ts';
import { type Finding, type Found, fault, messageOf } from './finding.ts';
import type { Patient } from './patient.ts';

type Check = (patient: Patient) => readonly Found[] | Promise<readonly Found[]>;

/** All checks, in the order in which a person would mend. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['program', checkProgram],
  ['settings', checkSettings],
  ['clock', checkClock],
  ['keys', checkKeys],
  ['data', checkData],
  ['database', checkDatabase],
  ['audit', checkAudit],
  ['service', checkPorts],
  ['policies', checkPolicyFolder],
  ['authority', checkAuthority],
  ['registry', checkRegistry],
  ['users', checkUsers],
  ['guard', checkGuard],
];

/** Runs every check; one that fails itself is a finding, and the others go on. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [check, look] of CHECKS) {
    try {
      findings.push(...(await look(patient)).map((found) => ({ check, ...found })));
    } catch (cause) {
      const remedy = 'Mend this first, then run the doctor again.';
      findings.push({ check, ...fault(`The check could not be made: ${messageOf(cause)}`, remedy) });
    }
  }
  return findings;
}
