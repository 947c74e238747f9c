import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { untilQuiet } from '@haat/devnet/drills/invariants/waiting'
import type { Bench } from '../bench.ts'
import { BENCH_PORTS } from '../market.ts'
import { cpuBetween, type Processes, readCpu, readMemory } from '../processes.ts'
import type { MarketRow, Row, StoresRow } from './row.ts'

/** What start-up has left to do is done by then. */
const SETTLED_SECONDS = 10
const IDLE_SECONDS = 20
const QUIET_WITHIN_SECONDS = 300

const main = fileURLToPath(new URL('../../../packages/devnet/src/main.ts', import.meta.url))

type AllInOne = { startSeconds: number; megabytes: number; idlePercent: number; cpu: string }
let measured: Promise<AllInOne> | undefined

/** One start tells all three rows. */
const allInOne = (bench: Bench): Promise<AllInOne> => {
  measured ??= measureAllInOne(bench)
  return measured
}

async function measureAllInOne(bench: Bench): Promise<AllInOne> {
  // The first start on new stores makes databases and keys; it is not the one to measure.
  if (!existsSync(join(bench.dataDir, 'secrets.json'))) await stop((await start(bench)).child)
  const { child, seconds } = await start(bench)
  try {
    await pause(SETTLED_SECONDS * 1000)
    const processes: Processes = new Map([...bench.processes, ['all services', child.pid!]])
    const { percent, cpu } = await idle(processes)
    return {
      startSeconds: seconds,
      megabytes: readMemory(new Map([['all services', child.pid!]])).get('all services') ?? 0,
      idlePercent: percent,
      cpu,
    }
  } finally {
    await stop(child)
  }
}

/** What processes use that have nothing to do, in percent of one core. */
async function idle(processes: Processes): Promise<{ percent: number; cpu: string }> {
  const before = readCpu(processes)
  await pause(IDLE_SECONDS * 1000)
  const used = [...cpuBetween(before, readCpu(processes))].map(([name, ms]) => [name, ms / IDLE_SECONDS / 10] as const)
  return {
    percent: used.reduce((sum, [, each]) => sum + each, 0),
    cpu: used
      .sort((a, b) => b[1] - a[1])
      .filter(([, each]) => each >= 0.05)
      .map(([name, each]) => `${name} ${each.toFixed(2)} %`)
      .join(' · '),
  }
}

async function start({ dataDir }: Bench) {
  const began = performance.now()
  const child = spawn(process.execPath, [main, '--no-seed', '--data-dir', dataDir, '--ports', String(BENCH_PORTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes('Haat is running')) {
      child.stdout.resume()
      return { child, seconds: (performance.now() - began) / 1000 }
    }
  throw new Error('the marketplace did not start')
}

async function stop(child: ReturnType<typeof spawn>): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

const nothing = { notes: [] as string[], faults: [] as string[] }

const each: MarketRow = {
  name: 'idle, a process each',
  target: { below: 3, unit: '% of one core' },
  on: 'market',
  grows: false,
  async measure(bench, market) {
    // What the rows before left in the queues (an import leaves tens of thousands of events) is work.
    await untilQuiet({ stores: market.devnet.stores }, QUIET_WITHIN_SECONDS)
    await pause(SETTLED_SECONDS * 1000)
    const { percent, cpu } = await idle(bench.processes)
    return { ...nothing, value: percent, notes: [cpu] }
  },
}
const together: StoresRow = {
  name: 'idle, all in one process',
  target: { below: 3, unit: '% of one core' },
  on: 'stores',
  async measure(bench) {
    const { idlePercent, cpu } = await allInOne(bench)
    return { ...nothing, value: idlePercent, notes: [cpu] }
  },
}
const memory: StoresRow = {
  name: 'resident memory, all in one process',
  target: { below: 700, unit: 'MB' },
  on: 'stores',
  measure: async (bench) => ({ ...nothing, value: (await allInOne(bench)).megabytes }),
}
const coldStart: StoresRow = {
  name: 'cold start, all in one process, stores warm',
  target: { below: 6, unit: 's' },
  on: 'stores',
  measure: async (bench) => ({ ...nothing, value: (await allInOne(bench)).startSeconds }),
}

export const restRows: Row[] = [each, together, memory, coldStart]
