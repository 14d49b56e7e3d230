export { run } from '../../support/hook-cases.ts';
