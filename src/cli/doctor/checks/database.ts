import { inspectStorage } from '../../../storage/index.ts';
import { type Found, fault, messageOf, note, ok, skipped } from '../finding.ts';
import { storageOptions } from '../inventory.ts';
import type { Patient } from '../patient.ts';

/** Whether the database can be reached, is whole, and has the schema of this program. */
export async function checkDatabase({ config, service }: Patient): Promise<Found[]> {
  if (service.kind === 'ours' && config.storage.kind === 'sqlite') {
    return [ok('The running service holds the database, checked it when it started, and answers from it.')];
  }
  try {
    const found = await inspectStorage(storageOptions(config));
    if (found === null) return [skipped('There is no database yet; the first start makes it.')];
    await found.close();
    const { missingMigrations: missing } = found;
    return missing === 0
      ? [ok('The database is whole and up to date.')]
      : [
          note(
            `The next start will run ${missing} migrations.`,
            'Make a backup first: sallyport backup FILE',
          ),
        ];
  } catch (cause) {
    return [fault(messageOf(cause), 'Without it nothing starts: follow what the sentence says.')];
  }
}
