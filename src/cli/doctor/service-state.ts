import type { AdminClient } from '../client/admin-client.ts';
import { CliFault, EXIT } from '../fault.ts';
import type { Row } from '../output.ts';

/** Who answers at the address of the control plane. */
export type ServiceState =
  /** Takes our admin token. */
  | { readonly kind: 'ours'; readonly status: Row; readonly client: AdminClient }
  /** A control plane that does not let us in, for the reason given. */
  | { readonly kind: 'closed'; readonly reason: string; readonly remedy: string | null }
  /** Something that is no Sallyport. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'down' };

/** Asks the service for its status; what it answers is a finding, not a fault of the doctor. */
export async function askService(o: {
  readonly client: AdminClient;
  readonly url: string;
}): Promise<ServiceState> {
  try {
    return { kind: 'ours', status: await o.client.get('/status'), client: o.client };
  } catch (cause) {
    if (!(cause instanceof CliFault)) throw cause;
    if (cause.exitCode === EXIT.unreachable) return { kind: 'down' };
    if (cause.code === 'unexpected_answer') return { kind: 'foreign' };
    // Without a token nobody was asked yet.
    if (cause.exitCode === EXIT.state && !(await answers(o.url))) return { kind: 'down' };
    return { kind: 'closed', reason: cause.message, remedy: cause.remedy };
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(new URL('/healthz', url), { redirect: 'manual', signal: AbortSignal.timeout(3_000) });
    return true;
  } catch {
    return false;
  }
}
