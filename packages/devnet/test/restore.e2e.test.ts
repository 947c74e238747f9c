import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeNames, urlVariables } from '@haat/stores/stores'
import { expect, test } from 'vitest'
import { restore } from '../src/drills/restore.ts'

test('from copies taken under traffic and the log, a lost marketplace comes back: nothing a customer was told is lost', async () => {
  // Stores of its own: the run's cannot be lost.
  for (const name of storeNames) delete process.env[urlVariables[name]]
  const folder = mkdtempSync(join(tmpdir(), 'haat-restore-'))
  try {
    const { faults, checkouts, replayed, orders } = await restore({
      folder,
      basePort: 24_000,
      customers: 2,
      seconds: 6,
      drainSeconds: 90,
      log: () => undefined,
    })
    expect(faults).toEqual([])
    expect(checkouts).toBeGreaterThan(2)
    expect(replayed).toBeGreaterThan(0)
    expect(Object.values(orders).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(checkouts)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 400_000)
