import { connect } from 'node:net';
import type { Connection } from '../supervised.ts';
import { type GuardAddress, showGuardAddress } from './address.ts';
import { GuardLine } from './line.ts';

/** Reaches a guard that serves several gates; it is trusted no more than a child of our own. */
export function connectRemote(address: GuardAddress): Connection {
  const socket =
    address.kind === 'unix' ? connect(address.path) : connect({ host: address.host, port: address.port });
  const line = new GuardLine(socket);
  const ended = line.ended.then((reason) => `${showGuardAddress(address)}: ${reason}`);
  return { line, ended, close: () => line.cut('it was told to end') };
}
