import type { AuditEvent } from '../../core/index.ts';
import type { Logger } from '../log.ts';

/** The lines that follow from records of the audit log; `calls`: one for each call, too. */
export function logEvents(log: Logger, o: { readonly calls: boolean }): (event: AuditEvent) => void {
  return (event) => {
    const { type } = event;
    switch (type) {
      case 'alert.raised': {
        const { alertId, severity, effect } = event.data;
        log.write('warn', 'An alert was raised.', { event: type, alertId, severity, effect });
        return;
      }
      case 'alert.abandoned':
        log.write('error', 'An alert could not be delivered.', { event: type, alertId: event.data.alertId });
        return;
      case 'policy.loaded':
        log.write('info', 'Policies came into force.', { event: type, generation: event.data.generation });
        return;
      case 'policy.rejected':
        log.write('error', 'The policies are broken; the set before stays in force.', {
          event: type,
          generation: event.data.generation,
          fault: event.data.faults.join(' '),
        });
        return;
      case 'rules.loaded':
        log.write('info', 'Detection rules came into force.', { event: type });
        return;
      case 'rules.rejected':
        log.write('error', 'The detection rules are broken; the ones before stay in force.', {
          event: type,
          fault: event.data.faults.join(' '),
        });
        return;
      case 'tls.loaded':
        log.write('info', 'A certificate came into force.', { event: type, listener: event.data.listener });
        return;
      case 'tls.rejected':
        log.write('error', 'A new certificate is broken; the one before stays in force.', {
          event: type,
          listener: event.data.listener,
          fault: event.data.fault,
        });
        return;
      case 'audit.recovered':
        log.write('warn', 'The audit log was opened after a crash.', { event: type });
        return;
      case 'gate.started':
        log.write('info', 'The gate started.', { event: type, version: event.data.version });
        return;
      case 'gate.stopped':
        log.write('info', 'The gate stopped.', { event: type, callsCut: event.data.callsCut });
        return;
      default:
        if (o.calls) logCall(log, event);
    }
  };
}

function logCall(log: Logger, event: AuditEvent): void {
  const { type } = event;
  switch (type) {
    case 'call.refused': {
      const { call, code } = event.data;
      const known = call === null ? {} : { callId: call.id };
      log.write('info', 'A call was refused.', { event: type, code, ...known });
      return;
    }
    case 'call.completed': {
      const { callId, status, durationMs } = event.data;
      log.write('info', 'A call was answered.', { event: type, callId, status, durationMs });
      return;
    }
    case 'call.failed': {
      const { callId, code, durationMs } = event.data;
      log.write('info', 'A call failed.', { event: type, callId, code, durationMs });
      return;
    }
    default:
      return;
  }
}
