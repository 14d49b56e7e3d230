import type { Row } from '../lib/report.ts';
import type { BenchService } from '../sallyport/service.ts';
import { each, Holder, type Passport, statusOf } from './holder.ts';
import { spread } from './next-call.ts';

const AT_ONCE = 4;

/**
 * A tree of passports by exchange, all of it revoked by its root: one request, and then a call with each of them.
 * `records` is counted in the list of revocations, before and after.
 */
export async function measureSubtree(
  service: BenchService,
  o: { readonly branches: number; readonly twigs: number; readonly leaves: number },
): Promise<Row> {
  const holder = (name: string) => Holder.register(service, `tree-${name}`);
  const [root, branch] = [await holder('root'), await holder('branch')];
  const [twig, leaves] = [await holder('twig'), [] as Holder[]];
  for (let at = 0; at < o.branches; at += 1) leaves.push(await holder(`leaf-${at}`));

  const first = await root.passport({ mayAct: branch.id });
  const tree: Passport[] = [first];
  const branches = await grow(branch, [first], { each: o.branches, mayAct: () => twig.id });
  const twigs = await grow(twig, branches, {
    each: o.twigs,
    mayAct: (at) => leaves[at % leaves.length]?.id ?? '',
  });
  tree.push(...branches, ...twigs);
  for (const [at, leaf] of leaves.entries()) {
    const mine = twigs.filter((_, index) => index % leaves.length === at);
    tree.push(...(await grow(leaf, mine, { each: o.leaves })));
  }
  await each(tree, AT_ONCE, async (passport) => {
    if ((await passport.holder.call(passport)) !== 200) throw new Error('a good passport was refused');
  });

  const calls = tree.map((passport) => passport.holder.prepare('/item', passport));
  const before = await countRevocations(service);
  const asked = performance.now();
  await service.admin('POST', '/revocations', { kind: 'hop', value: first.chain[0], reason: null });
  const told = performance.now();
  const denied: number[] = [];
  let passed = 0;
  await each(calls, AT_ONCE, async (call) => {
    const began = performance.now();
    if ((await statusOf(await call())) !== 401) passed += 1;
    denied.push(performance.now() - began);
  });
  for (const one of [root, branch, twig, ...leaves]) one.close();
  return {
    case: 'subtree',
    count: tree.length,
    ...spread(denied),
    ackP50Ms: Number((told - asked).toFixed(2)),
    passed,
    records: (await countRevocations(service)) - before,
    note: 'a tree of exchanged passports, revoked by its root in one request; then one call with each',
  };
}

/** Passports by exchange, `each` of every parent. */
async function grow(
  holder: Holder,
  parents: readonly Passport[],
  o: { readonly each: number; readonly mayAct?: (at: number) => string },
): Promise<Passport[]> {
  const grown: Passport[] = [];
  const wanted = parents.flatMap((from) => Array.from({ length: o.each }, () => from));
  await each([...wanted.entries()], AT_ONCE, async ([at, from]) => {
    const mayAct = o.mayAct?.(at);
    // At its place: which agent may exchange it follows from that.
    grown[at] = await holder.passport({ from, ...(mayAct === undefined ? {} : { mayAct }) });
  });
  return grown;
}

async function countRevocations(service: BenchService): Promise<number> {
  let [count, cursor] = [0, ''];
  for (;;) {
    const page = await service.admin('GET', `/revocations?limit=100${cursor}`);
    count += (page.items as unknown[]).length;
    if (typeof page.next !== 'string') return count;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}
