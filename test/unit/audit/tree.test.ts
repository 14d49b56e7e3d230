import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leafHash, MerkleTree } from '../../../src/audit/tree.ts';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** Written as RFC 6962 section 2.1 writes it. */
function treeHash(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return sha256();
  const [only] = leaves;
  if (leaves.length === 1) return sha256(Buffer.of(0), Buffer.from(only ?? ''));
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half)));
}

function treeOf(leaves: readonly string[]): MerkleTree {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
}

test('the roots are those of the test vectors of Certificate Transparency', () => {
  const leaves = ['', '\0', '\x10', ' !', '01', '@ABC', 'PQRSTUVW', '`abcdefghijklmno'];
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  for (const [index, root] of roots.entries()) {
    expect(
      treeOf(leaves.slice(0, index + 1))
        .root()
        .toString('hex'),
    ).toBe(root);
  }
});

test('for any leaves the root is that of the recursive definition', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 70 }), (leaves) => {
      expect(treeOf(leaves).root()).toEqual(treeHash(leaves.map((leaf) => leaf.toWellFormed())));
    }),
  );
});

test('a tree that goes on from its peaks is the same tree', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 70 }), fc.nat(70), (leaves, at) => {
      const first = treeOf(leaves.slice(0, at));
      const rest = new MerkleTree(first.size, first.peaks);
      for (const leaf of leaves.slice(at)) rest.append(leafHash(leaf));
      expect(rest.root()).toEqual(treeOf(leaves).root());
    }),
  );
});

test('peaks that do not belong to the size are a mistake', () => {
  expect(() => new MerkleTree(3, [leafHash('a')])).toThrow(TypeError);
});
