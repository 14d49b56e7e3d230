import { access, constants, stat } from 'node:fs/promises';
import { RelayFault } from './fault.ts';

/**
 * A program that runs as the user who owns the gate's state could read keys and database around the gate
 * (rule 4 of docs/guarantees.md). Says so, and in the strict profile refuses. Null when there is nothing to say:
 * the folder is out of reach, or on another machine.
 */
export async function checkUser(options: {
  readonly stateFolder: string | null;
  readonly strict: boolean;
  readonly uid: number | null;
}): Promise<string | null> {
  const { stateFolder, strict, uid } = options;
  if (stateFolder === null || !(await canReach(stateFolder, uid))) return null;
  const sentence =
    `the command runs as a user who can read the gate's state in ${stateFolder}, keys included; ` +
    'run agents as a user of their own (docs/start.md)';
  if (strict) throw new RelayFault('same_user', `${sentence}; the strict profile refuses this`);
  return sentence;
}

async function canReach(folder: string, uid: number | null): Promise<boolean> {
  try {
    // The owner can give himself the rights that he lacks.
    if ((await stat(folder)).uid === uid) return true;
    await access(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
