import { expect, test } from 'vitest';
import type { AuditFiles } from '../../../src/audit/index.ts';
import { SegmentWriter } from '../../../src/audit/segment-writer.ts';

/** Files whose syncs end when the test says so; everything that is done is noted in order. */
function slowFiles(): { files: AuditFiles; done: string[]; endSync: () => void } {
  const done: string[] = [];
  let waiting: (() => void)[] = [];
  let opened = 0;
  const files: AuditFiles = {
    async openAppend() {
      opened += 1;
      const number = opened;
      return {
        write: async () => void done.push(`write ${number}`),
        sync: () =>
          new Promise<void>((resolve) => waiting.push(resolve)).then(() => void done.push(`sync ${number}`)),
        close: async () => void done.push(`close ${number}`),
      };
    },
    writeWhole: async () => void done.push('peaks'),
    syncDirectory: async () => void done.push('directory'),
  };
  const endSync = () => {
    const now = waiting;
    waiting = [];
    for (const end of now) end();
  };
  return { files, done, endSync };
}

const lines = Buffer.from('0123456789\n');

test('a sync in the background ends before its file is closed, and what came later is synced too', async () => {
  const { files, done, endSync } = slowFiles();
  const options = { directory: 'd', files, durability: 'process', segmentBytes: 25 } as const;
  const writer = await SegmentWriter.open(options, null);
  await writer.write(lines, 1, []);
  const background = writer.sync();
  await writer.write(lines, 2, []);
  const rolling = writer.write(lines, 3, []);
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(done).toEqual(['directory', 'directory', 'write 1', 'write 1']);
  endSync();
  await background;
  await new Promise((resolve) => setTimeout(resolve, 10));
  endSync();
  await rolling;
  expect(done.slice(-7)).toEqual(['write 1', 'sync 1', 'sync 1', 'close 1', 'peaks', 'directory', 'write 2']);
  await writer.close();
  expect(done.at(-1)).toBe('close 2');
});

test('closing waits for a sync under way', async () => {
  const { files, done, endSync } = slowFiles();
  const options = { directory: 'd', files, durability: 'process', segmentBytes: 100 } as const;
  const writer = await SegmentWriter.open(options, null);
  await writer.write(lines, 1, []);
  const syncing = writer.sync();
  const closing = writer.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(done).not.toContain('close 1');
  endSync();
  await Promise.all([syncing, closing]);
  expect(done.slice(-2)).toEqual(['sync 1', 'close 1']);
});
