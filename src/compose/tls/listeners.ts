import { resolve } from 'node:path';
import type { Config } from '../../config/index.ts';
import type { AuditEvent, Clock } from '../../core/index.ts';
import { TlsKeeper } from './keeper.ts';

/** The certificates of both listeners; null: the listener speaks plain HTTP. */
export interface ListenersTls {
  readonly control: TlsKeeper | null;
  readonly gateway: TlsKeeper | null;
  readonly keepers: readonly TlsKeeper[];
  /** Reads all files now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Throws TlsPairError or KeyFileError when a pair that the settings name can't be used. */
export async function openListenersTls(o: {
  readonly config: Config;
  readonly clock: Clock;
  readonly tenant: string;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly onFault: (fault: unknown) => void;
}): Promise<ListenersTls> {
  const control = await open('control', o);
  const gateway = await open('gateway', o);
  const keepers = [control, gateway].filter((one) => one !== null);
  return {
    control,
    gateway,
    keepers,
    reload: async () => void (await Promise.all(keepers.map((one) => one.reload()))),
    close: async () => void (await Promise.all(keepers.map((one) => one.close()))),
  };
}

async function open(
  listener: 'control' | 'gateway',
  { config, ...rest }: Parameters<typeof openListenersTls>[0],
): Promise<TlsKeeper | null> {
  const { tlsCertificateFile, tlsKeyFile } = config[listener];
  if (tlsCertificateFile === null || tlsKeyFile === null) return null;
  const { home } = config.paths;
  return TlsKeeper.open({
    ...rest,
    listener,
    files: { certificate: resolve(home, tlsCertificateFile), key: resolve(home, tlsKeyFile) },
    minVersion: config.tls.minVersion,
    clientCertificates: config.tls.clientCertificates,
  });
}
