import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Devnet, startDevnet } from '@haat/devnet/devnet'
import { portsFrom } from '@haat/devnet/environment'
import { roster } from '@haat/devnet/roster'
import type { Bench } from './bench.ts'
import { processesOf } from './processes.ts'
import { inspectorPort } from './profile.ts'

export const BENCH_PORTS = 18_000
/** Beside a development installation's. */
export const STORE_PORTS = { postgres: 18_110, mongo: 18_111, redis: 18_112, rabbitmq: 18_113 }
/** Everybody comes from one address here, so the budgets are raised beyond what it can send; the limiter counts on. */
const budget = '100000000/60'
const AS_IN_PRODUCTION = {
  LOG_LEVEL: 'info',
  RATE_LIMITS: JSON.stringify({ '*': { address: budget, subject: budget } }),
}

/** Starts the marketplace, every member in a process of its own, stores durable, logs on. */
export async function openMarketplace(bench: Bench): Promise<Devnet> {
  rmSync(join(bench.dataDir, 'log'), { recursive: true, force: true })
  const devnet = await startDevnet({
    dataDir: bench.dataDir,
    processes: true,
    stripeForgets: true,
    ports: portsFrom(BENCH_PORTS),
    env: {
      '*': AS_IN_PRODUCTION,
      ...Object.fromEntries(
        roster.map(({ name }, index) => [name, { NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectorPort(index)}` }]),
      ),
    },
    log: bench.log,
  })
  bench.processes = processesOf(bench.dataDir)
  bench.inspected = roster.map(({ name }, index) => ({
    name,
    pid: bench.processes.get(name)!,
    port: inspectorPort(index),
  }))
  return devnet
}
