import type { COMMON_OPTIONS } from './arguments.ts';
import { AdminClient } from './client/admin-client.ts';
import { findAdminToken } from './client/token.ts';
import type { BareContext, CommandContext, Values } from './command.ts';
import { State } from './state.ts';

/** Adds the settings of this machine and the service at the configured address; both are asked when a verb first does. */
export function fullContext<V>(
  bare: BareContext<V>,
  common: Pick<Values<typeof COMMON_OPTIONS>, 'url' | 'ca-file' | 'token-file'>,
): CommandContext<V> {
  const state = new State(bare.environment, common['ca-file']);
  return {
    ...bare,
    state,
    url: common.url,
    get client() {
      const token = () => findAdminToken(state, common['token-file']);
      const url = common.url ?? state.controlUrl;
      return new AdminClient({ url, token, signal: bare.signal, trust: state.trust });
    },
  };
}
