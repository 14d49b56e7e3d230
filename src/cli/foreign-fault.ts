import { Refusal } from '../core/index.ts';
import { CliFault, EXIT, type ExitCode, stateFault } from './fault.ts';

/** By name: an import of each room's class would load every room, issuer included, for `sallyport --help`. */
const STATE_FAULTS: ReadonlySet<string> = new Set([
  'KeyFileError',
  'AuditFault',
  'StorageFault',
  'ConfigError',
]);

/** A fault of any room as the CLI tells it. */
export function toFault(cause: unknown): CliFault {
  if (cause instanceof CliFault) return cause;
  if (cause instanceof Refusal) {
    return new CliFault(EXIT.refused, cause.code, cause.message, { remedy: cause.remedy, cause });
  }
  if (cause instanceof Error && STATE_FAULTS.has(cause.name))
    return stateFault(cause.message, undefined, cause);
  if (cause instanceof Error && cause.name === 'RelayFault') return relayFault(cause);
  if (cause instanceof Error && cause.name === 'AbortError') {
    return new CliFault(EXIT.usage, 'cancelled', 'Cancelled.', { cause });
  }
  if (isSystemError(cause)) return stateFault(`${cause.message}.`, undefined, cause);
  const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new CliFault(EXIT.internal, 'internal', message, {
    remedy: 'This is a fault of Sallyport; please report it.',
    cause,
  });
}

/** A file or folder that can't be used: ENOENT, EACCES, ENOSPC, … */
function isSystemError(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && 'syscall' in cause && 'code' in cause;
}

/** Shells end with 127 and 126 where a command is not found or can't be executed. */
function relayFault(cause: Error): CliFault {
  const code = 'code' in cause ? String(cause.code) : 'relay';
  return new CliFault(relayExitCode(code), code, cause.message, { cause });
}

function relayExitCode(code: string): ExitCode {
  if (code === 'command_not_found') return EXIT.commandNotFound;
  if (code === 'command_not_executable') return EXIT.commandNotExecutable;
  if (code.endsWith('_unreachable')) return EXIT.unreachable;
  if (code === 'plain_http') return EXIT.usage;
  return code === 'agent_key_invalid' || code === 'same_user' ? EXIT.state : EXIT.refused;
}
