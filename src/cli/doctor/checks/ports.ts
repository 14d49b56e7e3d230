import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Found, fault, ok } from '../finding.ts';
import type { Patient } from '../patient.ts';

/** Whether each listener's port is ours or free. */
export async function checkPorts({ config, service }: Patient): Promise<Found[]> {
  const found: Found[] = [];
  switch (service.kind) {
    case 'closed':
      found.push(
        fault(
          `A control plane answers at the configured address and does not let this command in: ${service.reason}`,
          service.remedy ?? 'Run `sallyport login` with a token of that service, or correct the address.',
        ),
      );
      break;
    case 'foreign':
      found.push(
        fault(
          `Another program answers at the address of the control plane (port ${config.control.port}).`,
          'Stop it, or set control.port (SALLYPORT_CONTROL_PORT) to a free one.',
        ),
      );
      break;
    case 'ours':
      return [ok('The service runs and takes the admin token of this machine.')];
    case 'down':
      break;
  }
  for (const section of ['control', 'gateway'] as const) {
    if (section === 'control' && service.kind !== 'down') continue;
    const problem = await tryPort(config[section].host, config[section].port);
    if (problem !== null) {
      found.push(
        fault(`${section}: ${problem}`, `Stop what holds it, or set ${section}.port and ${section}.host.`),
      );
    }
  }
  return found.length > 0 ? found : [ok('The service does not run; its ports are free.')];
}

/** Null when the port could be listened on. */
async function tryPort(host: string, port: number): Promise<string | null> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    return `${SENTENCES[code] ?? `it can not be listened on (${code}):`} ${host}:${port}.`;
  }
  probe.close();
  await once(probe, 'close');
  return null;
}

const SENTENCES: Readonly<Record<string, string>> = Object.freeze({
  EADDRINUSE: 'another program holds',
  EACCES: 'this user may not listen on',
  EADDRNOTAVAIL: 'this machine does not have the address',
});
