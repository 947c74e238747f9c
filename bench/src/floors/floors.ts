import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Bench, type Measured, WARMUP_SECONDS } from '../bench.ts'
import { type OrderFloor, openOrderFloor } from './order-floor.ts'

/** What the same machine does without the marketplace. */
export type FloorName = 'hono' | 'hop' | 'order'

export const floorTitles: Record<FloorName, string> = {
  hono: 'floor: a static route of bare Hono',
  hop: 'floor: Hono and one gRPC hop',
  order: 'floor: a hand-written order transaction',
}

/** The warm-up of a floor that has been measured before. */
const AGAIN_SECONDS = 1
const PORTS = { hono: 18_101, hop: 18_102, hopService: 18_103 }

/** The floors of a run. Their processes stay, so that they are as warm at the end as at the beginning. */
export type FloorBench = {
  /** Measures a floor for so many seconds. */
  measure(name: FloorName, seconds: number): Promise<Measured>
  close(): void
}

/** Opens the floors; the Postgres one is on the server that the marketplace uses. */
export function openFloors(bench: Bench, postgresUrl: string): FloorBench {
  const started = new Map<FloorName, Promise<[string, ChildProcess][]>>()
  let order: Promise<OrderFloor> | undefined
  const processesOf = (name: 'hono' | 'hop') => {
    const known = started.get(name) ?? startProcesses(name)
    started.set(name, known)
    return known
  }
  return {
    async measure(name, seconds) {
      if (name === 'order') {
        order ??= openOrderFloor(postgresUrl)
        return (await order).measure(seconds)
      }
      const isFirst = !started.has(name)
      const processes = await processesOf(name)
      const standing = bench.processes
      bench.processes = new Map([...standing, ...processes.map(([title, { pid }]) => [title, pid!] as const)])
      try {
        const port = name === 'hono' ? PORTS.hono : PORTS.hop
        const path = name === 'hono' ? '/static' : '/stock/BENCH-1'
        return await bench.drive(
          floorTitles[name],
          { kind: 'requests', port, requests: [{ path }], expect: '' },
          { seconds, warmupSeconds: isFirst ? WARMUP_SECONDS : AGAIN_SECONDS },
        )
      } finally {
        bench.processes = standing
      }
    },
    close() {
      for (const processes of started.values())
        void processes.then((all) => {
          for (const [, child] of all) child.kill()
        })
    },
  }
}

const startProcesses = async (name: 'hono' | 'hop'): Promise<[string, ChildProcess][]> =>
  name === 'hono'
    ? [['hono', await start('hono.ts', PORTS.hono)]]
    : [
        ['neighbour', await start('hop-service.ts', PORTS.hopService)],
        ['hono', await start('hop.ts', PORTS.hop, PORTS.hopService)],
      ]

async function start(file: string, ...ports: number[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), ports.map(String), { execArgv: [] })
  await once(child, 'message')
  return child
}
