import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Bench, Measured } from '../bench.ts'
import { measureOrderFloor } from './order-floor.ts'

/** What the same machine does without the marketplace. */
export type FloorName = 'hono' | 'hop' | 'order'

export const floorTitles: Record<FloorName, string> = {
  hono: 'floor: a static route of bare Hono',
  hop: 'floor: Hono and one gRPC hop',
  order: 'floor: a hand-written order transaction',
}

const PORTS = { hono: 18_101, hop: 18_102, hopService: 18_103 }

/** Measures a floor; the Postgres one on the server that the marketplace uses. */
export async function measureFloor(bench: Bench, name: FloorName, postgresUrl: string): Promise<Measured> {
  if (name === 'order') return measureOrderFloor(bench, postgresUrl)
  const started: [string, ChildProcess][] =
    name === 'hono'
      ? [['hono', await start('hono.ts', PORTS.hono)]]
      : [
          ['neighbour', await start('hop-service.ts', PORTS.hopService)],
          ['hono', await start('hop.ts', PORTS.hop, PORTS.hopService)],
        ]
  const standing = bench.processes
  bench.processes = new Map([...standing, ...started.map(([title, { pid }]) => [title, pid!] as const)])
  try {
    const port = name === 'hono' ? PORTS.hono : PORTS.hop
    const path = name === 'hono' ? '/static' : '/stock/BENCH-1'
    return await bench.drive(floorTitles[name], { kind: 'requests', port, requests: [{ path }], expect: '' })
  } finally {
    bench.processes = standing
    for (const [, child] of started) child.kill()
  }
}

async function start(file: string, ...ports: number[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), ports.map(String), { execArgv: [] })
  await once(child, 'message')
  return child
}
