import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, summarizeConfig } from '../../../src/config/index.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function load(yaml: string | null, environment: Record<string, string> = {}) {
  if (yaml !== null) writeFileSync(join(home, 'sallyport.yaml'), yaml);
  return loadConfig({ environment: { SALLYPORT_HOME: home, ...environment }, defaultHome: '/nowhere' });
}

function faultsOf(yaml: string | null, environment: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('gives the defaults when there is neither file nor environment', () => {
    const config = load(null);
    expect(config.control.port).toBe(8470);
    expect(config.gateway).toMatchObject({ host: '127.0.0.1', port: 8471, bearer: 'never' });
    expect(config.paths.keys).toBe(join(home, 'keys'));
  });

  it('lets the environment win over the file', () => {
    const config = load('gateway:\n  port: 9001\n  host: 127.0.0.2\n', { SALLYPORT_GATEWAY_PORT: '9002' });
    expect(config.gateway).toMatchObject({ port: 9002, host: '127.0.0.2' });
  });

  it('takes lists from the file, and from the environment as JSON', () => {
    const url = 'https://api.example';
    expect(load(`issuer:\n  resources: [${url}]\n`).issuer.resources).toEqual([url]);
    expect(load('', { SALLYPORT_ISSUER_RESOURCES: `["${url}"]` }).issuer.resources).toEqual([url]);
    for (const text of [url, '["not a URL"]', '{"a":1}', '[1]', '']) {
      expect(faultsOf('', { SALLYPORT_ISSUER_RESOURCES: text }), text).toHaveLength(1);
    }
  });

  it('reports every fault at once and names the nearest known setting', () => {
    const faults = faultsOf('gateway:\n  prot: 1\n  port: 70000\ndetectro: {}\n', {
      SALLYPORT_CONTROL_PROT: '1',
      SALLYPORT_STORAGE_KIND: 'oracle',
    });
    expect(faults.join('\n')).toMatch(/SALLYPORT_CONTROL_PROT.*did you mean SALLYPORT_CONTROL_PORT/);
    expect(faults.join('\n')).toMatch(/gateway: .*prot.*did you mean port/);
    expect(faults.join('\n')).toMatch(/gateway\.port/);
    expect(faults.join('\n')).toMatch(/detectro.*did you mean detector/);
    expect(faults.join('\n')).toMatch(/storage\.kind/);
  });

  it('refuses settings that contradict each other', () => {
    expect(faultsOf('storage:\n  kind: postgres\n')).toEqual([expect.stringMatching(/^storage\.url/)]);
    expect(faultsOf('vault:\n  passphraseFile: x\n')).toEqual([
      expect.stringMatching(/^vault\.passphraseFile/),
    ]);
  });

  it('names a file that is not YAML, has a key twice, or uses aliases', () => {
    expect(faultsOf('gateway: [')[0]).toMatch(/sallyport\.yaml/);
    expect(faultsOf('gateway:\n  port: 1\n  port: 2\n')[0]).toMatch(/unique/);
    expect(faultsOf('a: &a [1]\nb: *a\n')[0]).toMatch(/[Aa]lias/);
    expect(faultsOf('- 1\n')[0]).toMatch(/sections/);
  });

  it('is frozen to the bottom', () => {
    const config = load(null);
    expect(Object.isFrozen(config.gateway)).toBe(true);
    expect(Object.isFrozen(config.paths)).toBe(true);
  });

  it('keeps the database password out of the summary', () => {
    const config = load(null, {
      SALLYPORT_STORAGE_KIND: 'postgres',
      SALLYPORT_STORAGE_URL: 'postgres://u:fake-password@127.0.0.1/db',
    });
    expect(JSON.stringify(summarizeConfig(config))).not.toContain('fake-password');
    expect(summarizeConfig(config)['storage.url']).toBe('[secret]');
  });

  it('either loads or throws ConfigError, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        writeFileSync(join(home, 'sallyport.yaml'), text);
        try {
          load(null);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});

it.each([
  ['gateway: { tlsCertificateFile: a.pem }', 'gateway.tlsKeyFile: must be set too'],
  ['control: { tlsKeyFile: a.key }', 'control.tlsCertificateFile: must be set too'],
  [
    'gateway: { tlsCertificateFile: a.pem, tlsKeyFile: a.key, publicUrl: "http://gate.test" }',
    'gateway.publicUrl: must begin with https',
  ],
])('takes no half of TLS: %s', (text, told) => {
  expect(() => load(text)).toThrow(told);
});
