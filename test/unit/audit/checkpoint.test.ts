import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CheckpointFault,
  isSignedBy,
  parseCheckpoint,
  signCheckpoint,
} from '../../../src/audit/checkpoint.ts';
import { checkpointKey, otherKey, publicKey } from './support.ts';

const root = createHash('sha256').update('root').digest();
const checkpoint = signCheckpoint({ node: 'node-1', size: 12, root }, checkpointKey);

test('a checkpoint is a signed note in the form of c2sp.org/tlog-checkpoint', () => {
  const lines = checkpoint.note.split('\n');
  expect(lines.slice(0, 4)).toEqual(['sallyport/audit/node-1', '12', root.toString('base64'), '']);
  expect(lines[4]).toMatch(/^— sallyport\/audit\/node-1 [A-Za-z0-9+/]+=*$/);
  expect(lines.slice(5)).toEqual(['']);
});

test('its signature can be checked by the words of c2sp.org/signed-note alone', () => {
  const [text, signatureLine] = checkpoint.note.split('\n\n');
  const blob = Buffer.from(signatureLine?.trim().split(' ')[2] ?? '', 'base64');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const name = Buffer.from('sallyport/audit/node-1\n');
  const keyId = createHash('sha256')
    .update(Buffer.concat([name, Buffer.of(1), raw]))
    .digest()
    .subarray(0, 4);
  expect(blob.subarray(0, 4)).toEqual(keyId);
  expect(verify(null, Buffer.from(`${text}\n`), publicKey, blob.subarray(4))).toBe(true);
});

test('it is read back, and signed by its key alone', () => {
  expect(parseCheckpoint(checkpoint.note)).toEqual(checkpoint);
  expect(isSignedBy(checkpoint, publicKey)).toBe(true);
  expect(isSignedBy(checkpoint, otherKey())).toBe(false);
});

test('a second signature beside ours, as a witness adds it, changes nothing', () => {
  const note = `${checkpoint.note}— witness.example AAAAAGFiYw==\n`;
  expect(isSignedBy(parseCheckpoint(note), publicKey)).toBe(true);
});

test('another size, root or origin under the same signature is not signed', () => {
  for (const [from, to] of [
    ['\n12\n', '\n13\n'],
    ['node-1\n12', 'node-2\n12'],
    [root.toString('base64'), createHash('sha256').digest('base64')],
  ] as const) {
    expect(isSignedBy(parseCheckpoint(checkpoint.note.replace(from, to)), publicKey)).toBe(false);
  }
});

test.each([
  ['empty', ''],
  ['without a signature', checkpoint.note.split('\n\n')[0] ?? ''],
  ['without an end', checkpoint.note.slice(0, -1)],
  ['with a size in another spelling', checkpoint.note.replace('\n12\n', '\n012\n')],
  ['with a negative size', checkpoint.note.replace('\n12\n', '\n-12\n')],
  ['with a size beyond what numbers hold', checkpoint.note.replace('\n12\n', '\n9999999999999999\n')],
  ['with a short root', checkpoint.note.replace(root.toString('base64'), 'AAAA')],
  ['that is very long', checkpoint.note + '— a AAAA\n'.repeat(4000)],
])('a note %s is refused', (_, note) => {
  expect(() => parseCheckpoint(note)).toThrow(CheckpointFault);
});

test('no text makes the parser fail in another way', () => {
  const pieces = fc.constantFrom('\n', '\n\n', '— ', 'a', '12', root.toString('base64'), ' ', 'AAAA', '');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join('')),
      ),
      (note) => {
        try {
          parseCheckpoint(note);
        } catch (fault) {
          expect(fault).toBeInstanceOf(CheckpointFault);
        }
      },
    ),
  );
});

test('a key of another kind is a programmer’s mistake', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(() => signCheckpoint({ node: 'n', size: 0, root }, privateKey)).toThrow(TypeError);
});
