import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { storeNames, urlVariables } from '@haat/stores/stores'
import { portsFrom } from '../environment.ts'
import { startFleet } from './fleet.ts'
import { findAnomalies } from './invariants.ts'
import { openMarket } from './market.ts'
import { overload } from './overload/overload.ts'

/** `--seconds 60` of overload; `--orders 3000` prepared for it. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      orders: { type: 'string', default: '1500' },
      first: { type: 'string', default: '20' },
    },
  })
  for (const name of storeNames) delete process.env[urlVariables[name]]
  const dataDir = mkdtempSync(join(tmpdir(), 'haat-overload-'))
  const fleet = await startFleet({
    dataDir,
    ports: portsFrom(18_000),
    durable: false,
    env: { auth: { ARGON2_MEMORY_KIB: '64' }, order: { PAYMENT_TTL_MINUTES: '240' } },
    log: (line) => console.log(line),
  })
  try {
    const market = await openMarket(fleet)
    const figures = await overload(fleet, market, dataDir, {
      products: 40,
      shoppers: 60,
      orders: Number(values.orders),
      stepSeconds: 8,
      seconds: Number(values.seconds),
      afterSeconds: 20,
      firstPerSecond: Number(values.first),
      log: (line) => console.log(line),
    })
    const { sustainable, peak, overload: under, recoverySeconds, memory, faults } = figures
    console.log(`borne: ${sustainable}/s; peak ${peak}/s; under three times as much ${under.goodput}/s`, under.kinds)
    console.log(
      `${under.refused} refused, half of them after ${under.refusedP50} ms, 99 % within ${under.refusedP99} ms`,
    )
    console.log(`back to normal after ${recoverySeconds} s`)
    for (const [name, { before, most, after }] of Object.entries(memory))
      console.log(`  ${name.padEnd(16)} ${before} MB before, ${most} MB at most, ${after} MB after`)
    await fleet.settle()
    return [...faults, ...(await findAnomalies(fleet))]
  } finally {
    await fleet.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
