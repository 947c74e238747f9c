import { join } from 'node:path'
import type { Stores } from '@haat/stores/stores'
import type { Job, Script } from './load/protocol.ts'
import { type Load, startLoad } from './load/start-load.ts'
import { type Cpu, cpuBetween, type Processes, processesOf, readCpu } from './processes.ts'
import { type Inspected, startProfile } from './profile.ts'

export const CONCURRENCY = 16
/** Long enough for the services' hot functions to be compiled. */
export const WARMUP_SECONDS = 5

export type Options = {
  stores: Stores
  dataDir: string
  seconds: number
  products: number
  /** The processes whose functions are timed, `all` for every one. */
  profile: string[]
  log: (line: string) => void
}

/** What one row found. Latencies in milliseconds. */
export type Measured = {
  perSecond?: number
  p50?: number
  p95?: number
  p99?: number
  /** What the row's floor did per second, right before and right after it: the mean. */
  floor?: number
  /** CPU milliseconds per repetition, by process. */
  cpu?: Map<string, number>
  /** A result that is no rate and no latency. */
  value?: number
  notes: string[]
  /** What makes the row worthless. */
  faults: string[]
}

/** A script that was played. */
export type Driven = Measured & {
  perSecond: number
  repetitions: number
  seconds: number
  /** Where a list that is used once has got to. */
  position: number
  orderIds: string[]
}

/** A run: the load generator, and the processes that stand at the moment. */
export type Bench = Options & {
  processes: Processes
  /** Those that answer SIGUSR1 with an inspector. */
  inspected: Inspected[]
  /** Plays a script at the fixed concurrency; `row` names the profiles. */
  drive(row: string, script: Script, own?: Partial<Job>): Promise<Driven>
  /** Plays a script unmeasured: `times` repetitions, or to the end of a list that is used once. */
  warm(script: Script, times?: number): Promise<void>
  /** Starts timing the chosen processes' functions; the answer ends it and tells. */
  profiled(row: string): Promise<() => Promise<void>>
  close(): void
}

/** Opens a run. */
export async function openBench(options: Options): Promise<Bench> {
  const load: Load = await startLoad()
  const bench: Bench = {
    ...options,
    processes: processesOf(options.dataDir),
    inspected: [],
    async drive(row, script, own = {}) {
      const job = { concurrency: CONCURRENCY, warmupSeconds: WARMUP_SECONDS, seconds: options.seconds, ...own, script }
      const watched: Processes = new Map([...bench.processes, ['load generator', load.pid], ['bench', process.pid]])
      let before: Cpu = new Map()
      let profiles: Promise<() => Promise<void>> | undefined
      const result = await load.play(job, () => {
        before = readCpu(watched)
        profiles = bench.profiled(row)
      })
      const used = cpuBetween(before, readCpu(watched))
      await (await profiles)?.()
      const repetitions = result.latencies.length
      return {
        perSecond: result.seconds > 0 ? repetitions / result.seconds : 0,
        ...percentiles(result.latencies),
        cpu: perRepetition(used, repetitions),
        notes: [],
        faults: [
          ...Object.entries(result.errors).map(([message, count]) => `${count} × ${message}`),
          ...(repetitions === 0 ? ['nothing was begun and ended in the measured time'] : []),
        ],
        repetitions,
        seconds: result.seconds,
        position: result.position,
        orderIds: result.orderIds,
      }
    },
    async warm(script, times) {
      const job = { script, concurrency: CONCURRENCY, warmupSeconds: 0, seconds: 600, ...(times ? { times } : {}) }
      const { errors } = await load.play(job, () => {})
      for (const [message, count] of Object.entries(errors)) options.log(`while warming: ${count} × ${message}`)
    },
    async profiled(row) {
      const chosen = bench.inspected.filter(
        ({ name }) => options.profile.includes(name) || options.profile.includes('all'),
      )
      const folder = join(options.dataDir, 'profiles')
      const stops = await Promise.all(chosen.map((one) => startProfile(one, folder, row)))
      return async () => {
        for (const stop of stops) options.log(await stop())
      }
    },
    close: () => load.close(),
  }
  return bench
}

/** Of sorted values. */
export function percentiles(sorted: readonly number[]): { p50?: number; p95?: number; p99?: number } {
  if (sorted.length === 0) return {}
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** Without those that did nothing. */
export const perRepetition = (used: Cpu, repetitions: number): Map<string, number> =>
  new Map([...used].filter(([, ms]) => repetitions && ms > 0).map(([name, ms]) => [name, ms / repetitions]))
