import type { GuardStatus } from './guard.ts';

/** The state of the guard in one line, for people. */
export function showGuardStatus(status: GuardStatus): string {
  switch (status.kind) {
    case 'absent':
      return `absent: ${status.reason}`;
    case 'starting':
      return 'starting';
    case 'ready':
      return `ready: ${status.model} (${status.architecture}, preset ${status.preset}) on ${status.backend}`;
    case 'failing':
      return `failing since ${new Date(status.since).toISOString()}: ${status.reason}`;
  }
}
