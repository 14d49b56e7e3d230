import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Flow tests start real servers, real PostgreSQL and a process for each word of the CLI (half a minute on two idle
    // cores); the limit is for what hangs, not for a machine that is busy with something else as well.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
