import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../../support/shared.ts';

const linter = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
// It names its draft by an address that Ajv does not know it under.
const { $schema: _draft, ...schema } = JSON.parse(
  readFileSync(join(linter, 'schemas/compose.schema.json'), 'utf8'),
);
const file = parse(readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8'));

describe('docker-compose.yml', () => {
  it('is valid against the Compose schema', () => {
    const ajv = new Ajv({ allErrors: true, strict: false });
    addFormats.default(ajv);
    // Compose's own format of durations: 10s, 1m30s (its specification, "Specifying durations").
    ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
    const validate = ajv.compile(schema);
    expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
    // The schema can say no: the same file with a slip.
    expect(validate({ ...file, services: { broken: { imagee: 'x' } } })).toBe(false);
  });

  it('opens ports on this machine alone, and gives no container rights that it does not need', () => {
    const { sallyport, postgres } = file.services;
    expect(sallyport.ports.every((port: string) => port.startsWith('127.0.0.1:'))).toBe(true);
    expect(postgres.ports).toBeUndefined();
    expect(sallyport).toMatchObject({ cap_drop: ['ALL'], read_only: true });
    expect(JSON.stringify(file)).not.toMatch(/PASSWORD(?!_FILE)"?:/);
  });

  it('copies into the image what the service needs to start', () => {
    const dockerfile = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8');
    for (const needed of ['package.json', 'src', 'bin', 'policies']) {
      expect(dockerfile).toMatch(new RegExp(`^COPY (.* )?${needed.replace('.', '\\.')} `, 'm'));
    }
  });
});
