import { resolve } from 'node:path';

/** Where a guard that serves several gates is reached. */
export type GuardAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'loopback'; readonly host: string; readonly port: number };

const LOOPBACK = /^(127\.0\.0\.1|\[::1\]|localhost):(\d{1,5})$/;

/**
 * `unix:PATH`, or a host and port of this machine. Null for everything else: texts would cross a network in the
 * clear, to whoever listens there.
 */
export function parseGuardAddress(text: string, folder: string): GuardAddress | null {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    // Longer ones don't fit the kernel's sockaddr_un.
    return path === '' || path.includes('\0') || resolve(folder, path).length > 107
      ? null
      : { kind: 'unix', path: resolve(folder, path) };
  }
  const [, host, port] = LOOPBACK.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535) return null;
  return { kind: 'loopback', host: host === '[::1]' ? '::1' : host, port: Number(port) };
}

export function showGuardAddress(address: GuardAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
