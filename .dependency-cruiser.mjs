/** The order of the rooms (docs/architecture.md): a room may know only what stands to its left. */
const rooms = [
  'core', 'config', 'proof', 'files', 'audit', 'approvals', 'people', 'passport', 'policy', 'vault', 'guard', 'detector',
  'alerts', 'gateway', 'hooks', 'admin', 'storage', 'compose', 'cli',
];

const order = rooms.map((room, index) => ({
  name: `${room}-knows-only-what-stands-left`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(${[...rooms.slice(index + 1).map((one) => `${one}/`), 'main\\.ts'].join('|')})` },
}));

export default {
  forbidden: [
    ...order,
    {
      name: 'enter-by-the-door',
      comment: 'A room is entered only through its index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/.+', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '^src/gateway/scrub/index\\.ts$'] },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'sdk-knows-core-and-proof',
      comment: 'It is shipped by itself, and runs on web-standard runtimes.',
      severity: 'error',
      from: { path: '^src/sdk/' },
      to: { path: '^src/(?!sdk/|core/|proof/)' },
    },
    {
      name: 'proof-and-core-are-portable',
      comment: 'The SDK runs them on web-standard runtimes.',
      severity: 'error',
      from: { path: '^src/(core|proof|sdk)/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'oidc-provider-behind-one-file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/passport/' },
      to: { path: 'node_modules/oidc-provider/' },
    },
    {
      name: 'cedar-in-policy-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/policy/' },
      to: { path: 'node_modules/@cedar-policy/' },
    },
    {
      name: 'sql-in-storage-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/' },
      to: { path: 'node_modules/(kysely|pg)/|^(node:)?sqlite$' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['^src/main\\.ts$', '\\.d\\.mts$', '^src/people/pages/passkeys\\.js$'] },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: undefined,
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'], exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
