import { randomBytes } from 'node:crypto';
import { makeTestAuthority } from '../../test/support/certificates.ts';
import { Child } from '../lib/child.ts';
import type { Route } from '../load/connection.ts';
import { NPM_PEERS } from '../peers/peer.ts';
import { isInstalled, PROGRAM_PEERS, startProgram } from '../peers/programs.ts';
import { BenchService } from '../sallyport/service.ts';
import { sallyportTargets } from './sallyport-targets.ts';
import type { Absent, Target } from './target.ts';
import { startVariant, VARIANTS } from './variants.ts';

const HOST = 'localhost';

export interface Stage {
  readonly targets: readonly Target[];
  readonly absent: readonly Absent[];
  stop(): Promise<void>;
}

/** Starts the upstream, the gate and every peer that can be had; idle ones cost the others nothing but memory. */
export async function setStage(o: {
  readonly profile: string | null;
  readonly only: readonly string[] | null;
}): Promise<Stage> {
  const stops: (() => Promise<void>)[] = [];
  const wanted = (name: string) => o.only === null || o.only.includes(name);
  const targets: Target[] = [];
  const absent: Absent[] = [];
  try {
    const authority = await makeTestAuthority('Upstream of the benchmark');
    const upstream = await Child.start('upstream.ts', await authority.issue(HOST, '127.0.0.1'));
    stops.push(() => upstream.stop());
    const [http, https] = [Number(upstream.ready.http), Number(upstream.ready.https)];
    const place = { host: HOST, http, https, ca: authority.certificatePem };
    targets.push(direct('http', { port: http, tunnel: null, tls: null }, http));
    const tls = { servername: HOST, ca: authority.certificatePem };
    targets.push(direct('https', { port: https, tunnel: null, tls }, https));

    for (const variant of VARIANTS) {
      if (!wanted('sallyport')) continue;
      const service = await startVariant(variant, o.profile);
      if (!(service instanceof BenchService)) {
        absent.push(...service);
        continue;
      }
      stops.push(() => service.stop());
      const made = await sallyportTargets(service, place, variant);
      stops.push(() => made.stop());
      targets.push(...made.targets);
    }
    const secret = `fake-${randomBytes(18).toString('base64url')}`;
    for (const { name, script, note, specifier } of NPM_PEERS) {
      if (!wanted(name)) continue;
      const labels = { name, mode: 'intercept', note };
      const child = await Child.start(script, { secret, upstreamCa: authority.certificatePem }).catch(
        (fault: Error) => fault,
      );
      if (child instanceof Error) {
        absent.push({
          labels,
          skipped: `${specifier} does not run here: ${child.message.split('\n')[1] ?? child.message}`,
        });
        continue;
      }
      stops.push(() => child.stop());
      targets.push(intercepting(labels, Number(child.ready.port), String(child.ready.ca), https, child.pid));
    }
    for (const program of PROGRAM_PEERS) {
      if (!wanted(program.name)) continue;
      const labels = { name: program.name, mode: program.mode, note: program.note };
      if (!isInstalled(program.command)) {
        absent.push({ labels, skipped: `${program.command} is not installed on this machine` });
        continue;
      }
      const running = await startProgram(program, {
        secret,
        upstreamPort: http,
        upstreamCa: authority.certificatePem,
      });
      stops.push(() => running.stop());
      if (running.ca === null) {
        const request = { kind: 'fixed', bytes: get('/bench', `${HOST}:${http}`) } as const;
        targets.push({
          labels,
          scheme: 'http',
          route: { port: running.port, tunnel: null, tls: null },
          request,
          pids: [running.pid],
        });
      } else targets.push(intercepting(labels, running.port, running.ca, https, running.pid));
    }
  } catch (fault) {
    await stopAll(stops);
    throw fault;
  }
  return { targets, absent, stop: () => stopAll(stops) };
}

async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.toReversed()) await stop();
}

export function get(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: ${host}\r\naccept: */*\r\nuser-agent: bench\r\n\r\n`;
}

function direct(scheme: 'http' | 'https', route: Route, port: number): Target {
  const request = { kind: 'fixed', bytes: get('/bench', `${HOST}:${port}`) } as const;
  return { labels: { name: 'direct', mode: 'direct', upstream: scheme }, scheme, route, request, pids: [] };
}

function intercepting(
  labels: Target['labels'],
  port: number,
  ca: string,
  upstreamPort: number,
  pid: number,
): Target {
  const authority = `${HOST}:${upstreamPort}`;
  return {
    labels,
    scheme: 'https',
    route: { port, tunnel: { authority, fields: '' }, tls: { servername: HOST, ca } },
    request: { kind: 'fixed', bytes: get('/bench', authority) },
    pids: [pid],
  };
}
