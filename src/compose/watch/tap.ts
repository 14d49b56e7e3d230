import type { AuditLog } from '../../audit/index.ts';
import type { AuditEvent } from '../../core/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { Meters } from './meters.ts';

type Append = AuditLog['append'];

/** The way into the audit log, past everybody who wants to know what happens. */
export function tapped(
  append: Append,
  o: { readonly meters: () => Meters | null; readonly tell: (event: AuditEvent) => void },
): Append {
  return (event) => {
    o.tell(event);
    const meters = o.meters();
    if (meters === null) return append(event);
    meters.observe(event);
    const begun = performance.now();
    const receipt = append(event);
    // Who waits for the record learns of a failure; here it is no second one.
    receipt.then(
      () => meters.committed((performance.now() - begun) / 1000),
      () => {},
    );
    return receipt;
  };
}

/** The vault's one use for calls, counted. */
export function countedUse(vault: Pick<Vault, 'use'>, meters: () => Meters | null): Vault['use'] {
  return (permit, receipt) => {
    try {
      const opened = vault.use(permit, receipt);
      meters()?.vaultOpened('opened');
      return opened;
    } catch (refusal) {
      meters()?.vaultOpened('refused');
      throw refusal;
    }
  };
}
