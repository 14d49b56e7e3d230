import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { type Found, fault, messageOf, ok, skipped, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';

const MIB = 1024 * 1024;
/** Below this a busy day's log may not fit. */
const LOW_BYTES = 1024 * MIB;
/** Below this nothing can be promised: a call that can't be recorded is refused. */
const EMPTY_BYTES = 64 * MIB;

/** The data folder: mode, the right to write, and room. */
export function checkData({ config }: Pick<Patient, 'config'>): Found[] {
  const { data } = config.paths;
  if (!existsSync(data)) return [skipped('There is no data folder yet; the first start makes it.')];
  const found: Found[] = [];
  const { mode } = statSync(data);
  if ((mode & 0o077) !== 0) {
    found.push(
      fault(
        `${data} can be entered by others (mode ${(mode & 0o777).toString(8)}).`,
        `Run: chmod 700 ${data}`,
      ),
    );
  }
  try {
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    found.push(fault(messageOf(cause), `Give the user of the service the right to write ${data}.`));
  }
  const { bavail, bsize } = statfsSync(data);
  found.push(...room(data, bavail * bsize));
  return found.length > 0
    ? found
    : [ok(`${data} is private, writable, and has ${inMib(bavail * bsize)} free.`)];
}

export function room(data: string, freeBytes: number): Found[] {
  const what = `${data} has ${inMib(freeBytes)} left.`;
  const remedy = 'Make room, or move the state folder (SALLYPORT_HOME) to a larger disk.';
  if (freeBytes < EMPTY_BYTES)
    return [fault(`${what} Calls are refused when the log can't be written.`, remedy)];
  return freeBytes < LOW_BYTES ? [warning(what, remedy)] : [];
}

function inMib(bytes: number): string {
  return `${Math.floor(bytes / MIB).toLocaleString('en-US')} MiB`;
}
